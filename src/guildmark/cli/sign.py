"""`guildmark sign`: a document and a key in, a signed credential out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    from guildmark.credential.keys import SoftwareSigner

SUITES = (
    "eddsa-rdfc-2022",
    "eddsa-jcs-2022",
    "ecdsa-rdfc-2019",
    "ecdsa-jcs-2019",
    "ecdsa-sd-2023",
    "vc-jwt",
    "vc-jose",
    "sd-jwt",
)
_BY_KIND = {"Ed25519": "eddsa-rdfc-2022", "P-256": "ecdsa-rdfc-2019", "P-384": "ecdsa-rdfc-2019", "RSA": "vc-jwt"}


@click.command("sign")
@click.argument("file")
@click.option("--key", required=True, metavar="KEYFILE", help="The key that signs, as `guildmark keys new` made it.")
@click.option(
    "--suite",
    type=click.Choice(SUITES),
    help="The kind of signature; without it eddsa-rdfc-2022, ecdsa-rdfc-2019 or vc-jwt, as the key is.",
)
@click.option("--created", metavar="TIME", help="The date of the proof, such as 2026-11-24T09:00:00Z; by default now.")
@click.option("--expires", metavar="TIME", help="The end of the proof itself; by default none.")
@click.option(
    "--add", is_flag=True, help="Put the proof beside those that FILE has; each of such a set stands for itself."
)
@click.option(
    "--hide",
    metavar="POINTER",
    multiple=True,
    help="With sd-jwt: a JSON Pointer to what the holder may keep back. Repeatable.",
)
@click.option(
    "--mandatory",
    metavar="POINTER",
    multiple=True,
    help="With ecdsa-sd-2023: a JSON Pointer to what is always shown. Repeatable.",
)
@click.option("--vct", metavar="TYPE", default="", help="With sd-jwt: make it an SD-JWT VC of this type.")
@click.option("--out", metavar="FILE", help="Write to FILE instead of standard output.")
def command(
    file: str,
    key: str,
    suite: str | None,
    created: str | None,
    expires: str | None,
    add: bool,
    hide: tuple[str, ...],
    mandatory: tuple[str, ...],
    vct: str,
    out: str | None,
) -> None:
    """Sign the document in FILE (- reads standard input) with the key in KEYFILE.

    The passphrase of the key is read from GUILDMARK_KEY_PASSPHRASE. What a signature would not cover is refused; what
    will keep others from accepting the result is said on standard error. With ecdsa-sd-2023 and sd-jwt the result
    is its holder's copy, of which the holder makes what others get to see.

    Example: guildmark sign badge.json --key issuer.key --out credential.json

    Exit codes: 0 signed, 2 it cannot be.
    """
    from guildmark.adapters.keys import open_key
    from guildmark.cli.keys import PASSPHRASE
    from guildmark.cli.output import moment, place, read_input, read_object, write_out
    from guildmark.core.errors import BrokenInput

    document = read_object(file)
    sealed = read_input(key, limit=100_000)
    try:
        signer = open_key(sealed, passphrase=os.environ.get(PASSPHRASE, ""))
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(key), hint=problem.hint) from problem
    chosen = suite or _BY_KIND[signer.algorithm]
    _refuse_idle(
        chosen,
        {
            "--add": add,
            "--hide": hide,
            "--mandatory": mandatory,
            "--vct": vct,
            "--created": created,
            "--expires": expires,
        },
    )
    made_at = moment(created, "--created")
    until = None if expires is None else moment(expires, "--expires")
    try:
        signed = _signed(document, signer, chosen, made_at, until, add, hide, mandatory, vct)
    except BrokenInput as problem:
        named = problem.where in ("", "document", str(document.get("id")))
        where = place(file) if named else f"{place(file)}, {problem.where}"
        raise BrokenInput(problem.what, where=where, hint=problem.hint) from problem
    _say_what_will_not_hold(document, signer)
    write_out(signed, out)


def _signed(
    document: dict[str, Any],
    signer: SoftwareSigner,
    suite: str,
    created: datetime,
    expires: datetime | None,
    add: bool,
    hide: tuple[str, ...],
    mandatory: tuple[str, ...],
    vct: str,
) -> bytes:
    from guildmark.core.codecs import jcs

    match suite:
        case "vc-jwt" | "vc-jose":
            from guildmark.credential.jose import sign_vc_jwt

            return sign_vc_jwt(document, signer, form=suite).encode() + b"\n"
        case "sd-jwt":
            from guildmark.credential.sd_jwt import sign_sd_jwt

            return sign_sd_jwt(document, signer, hide=hide, randomness=os.urandom, vct=vct).encode() + b"\n"
        case "ecdsa-sd-2023":
            return jcs(_selectively(document, signer, created, expires, mandatory)) + b"\n"
    from guildmark.credential.proof import add_proof, sign_document

    make = add_proof if add else sign_document
    return jcs(make(document, signer, created=created, cryptosuite=suite, expires=expires)) + b"\n"


_SHOWN = ("issuer", "validFrom", "validUntil", "credentialStatus")
"""Members without which a verifier cannot tell whether it holds: always shown, unless the caller says what is."""


def _selectively(
    document: dict[str, Any],
    signer: SoftwareSigner,
    created: datetime,
    expires: datetime | None,
    mandatory: tuple[str, ...],
) -> dict[str, Any]:
    from guildmark.adapters.keys import new_signer
    from guildmark.credential.disclosure import sign_selectively

    return sign_selectively(
        document,
        signer,
        created=created,
        expires=expires,
        mandatory=mandatory or [f"/{name}" for name in _SHOWN if name in document],
        once=new_signer(os.urandom(64), key_id="urn:once", algorithm="P-256"),
        hmac_key=os.urandom(32),
    )


_TAKES = {
    "--add": SUITES[:4],
    "--hide": ("sd-jwt",),
    "--vct": ("sd-jwt",),
    "--mandatory": ("ecdsa-sd-2023",),
    "--created": SUITES[:5],
    "--expires": SUITES[:5],
}
"""Options that only some suites have a use for."""


def _refuse_idle(suite: str, given: dict[str, Any]) -> None:
    """BrokenInput for an option that this suite would leave out of account."""
    from guildmark.core.errors import BrokenInput

    for option, value in given.items():
        if value and suite not in _TAKES[option]:
            raise BrokenInput(f"is of no use with {suite}", where=option, hint=f"use {' or '.join(_TAKES[option])}")


def _say_what_will_not_hold(document: dict[str, Any], signer: SoftwareSigner) -> None:
    from guildmark.cli.output import say
    from guildmark.core.report import Verdict
    from guildmark.credential.did import did_of
    from guildmark.credential.signed import issuer_id, plain
    from guildmark.credential.structure import structure_finding

    owner, issuer = did_of(signer.key_id), issuer_id(document)
    if issuer != owner:
        say(f"note: its issuer is {plain(issuer) or 'not given'}, and the key belongs to {owner}.", err=True)
    finding = structure_finding(document)
    if finding.verdict is Verdict.FAIL:
        say(f"note: {finding.says}", err=True)
