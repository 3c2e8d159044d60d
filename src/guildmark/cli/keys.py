"""`guildmark keys`: makes and shows signing keys, and writes what their owner publishes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guildmark.cli.output import moment, place, print_json, read_input, say, write_files

if TYPE_CHECKING:
    from datetime import datetime

    from guildmark.credential.keys import PublicKey, SoftwareSigner

KINDS = ("Ed25519", "P-256", "P-384", "RSA")
PASSPHRASE = "GUILDMARK_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable

_NOW = click.option("--now", "at", metavar="TIME", help="Write as of this moment, such as 2026-11-24T09:00:00Z.")


@click.group()
def command() -> None:
    """Make and show signing keys, and write what their owner publishes.

    A key file holds the private key sealed under the passphrase in GUILDMARK_KEY_PASSPHRASE.

    Example: guildmark keys new issuer.key --id did:web:a.example#key-1
    """


@command.command()
@click.argument("file")
@click.option("--id", "key_id", metavar="URL", help="The key's name in signatures; without it, it names itself.")
@click.option("--kind", type=click.Choice(KINDS), default="Ed25519", show_default=True, help="The kind of key.")
@click.option("--json", "as_json", is_flag=True, help="Print the public forms as JSON.")
def new(file: str, key_id: str | None, kind: str, as_json: bool) -> None:
    """Make a signing key, seal it in FILE, and show its public forms.

    FILE must not exist yet, and only its owner can read it. Its name is a DID or https address with a fragment,
    such as did:web:a.example#key-1; a key without a name becomes a did:key, an RSA key a did:jwk.

    Example: guildmark keys new issuer.key --id did:web:a.example#key-1

    Exit codes: 0 made, 2 it cannot be made.
    """
    from guildmark.adapters.keys import new_signer, seal_signer
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.keys import SoftwareSigner

    if key_id is not None and ("#" not in key_id or not key_id.startswith(("did:", "https://"))):
        hint = "write it like did:web:a.example#key-1"
        raise BrokenInput("is no name for a key: a DID or https address with a fragment", where=key_id, hint=hint)
    signer = new_signer(os.urandom(64), key_id=key_id or "did:key:", algorithm=kind)
    if key_id is None:
        signer = SoftwareSigner(signer.private_key, _own_name(signer), kind)
    _write_key(file, seal_signer(signer, entropy=os.urandom(64), passphrase=_passphrase()))
    _show(signer, as_json)


@command.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print the public forms as JSON.")
def show(file: str, as_json: bool) -> None:
    """Show the public forms of the key in FILE: Multikey, JSON Web Key, its thumbprint, did:key and did:jwk.

    No passphrase is needed, and what the file says about itself is not proven by it.

    Example: guildmark keys show issuer.key

    Exit codes: 0 shown, 2 it is no key file.
    """
    _show(_public(file), as_json)


@command.command()
@click.argument("file")
@click.argument("to")
@click.option("--id", "key_id", metavar="URL", required=True, help="The key's new name in signatures.")
def rename(file: str, to: str, key_id: str) -> None:
    """Seal the key in FILE under another name, in the new file TO.

    Needed once for a did:webvh, whose name is only known when its first entry is written.

    Example: guildmark keys rename first.key issuer.key --id did:webvh:Qm...:a.example#key-1

    Exit codes: 0 written, 2 it cannot be.
    """
    from guildmark.adapters.keys import seal_signer
    from guildmark.credential.keys import SoftwareSigner

    signer = _opened(file)
    renamed = SoftwareSigner(signer.private_key, key_id, signer.algorithm)
    _write_key(to, seal_signer(renamed, entropy=os.urandom(64), passphrase=_passphrase()))
    say(f"{to} holds the key as {key_id}.")


@command.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--jwk", is_flag=True, help="List the keys as JSON Web Keys; an RSA key always is one.")
@click.option("--also-known-as", "others", metavar="URL", multiple=True, help="Another name of the owner. Repeatable.")
def document(files: tuple[str, ...], jwk: bool, others: tuple[str, ...]) -> None:
    """Print the document that lists the keys in FILES, and where it has to be published.

    The keys belong to one owner: a did:web, or an https address (a controlled identifier document). A did:key or
    did:jwk needs no publishing; its document is printed all the same.

    Example: guildmark keys document issuer.key > did.json

    Exit codes: 0 printed, 2 the keys have no document, or not one together.
    """
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.did import did_document, did_of, did_web_url, own_document

    keys = [_public(file) for file in files]
    owner = did_of(keys[0].key_id)
    if owner.startswith("did:webvh:"):
        hint = "use guildmark keys webvh"
        raise BrokenInput("the document of a did:webvh stands in its history", where=owner, hint=hint)
    if owner.startswith(("did:key:", "did:jwk:")) and len(keys) == 1:
        print_json(own_document(owner))
        say("Nobody has to publish it: it follows from the identifier.", err=True)
        return
    if not owner.startswith(("did:web:", "https://")):
        raise BrokenInput("has no document to publish", where=owner, hint="name the key did:web:...#key-1")
    where = did_web_url(owner) if owner.startswith("did:web:") else owner
    told = did_document(owner, [] if jwk else keys, jwk=keys if jwk else [], also_known_as=others)
    print_json(told)
    say(f"Publish it at {where}", err=True)


# --- did:webvh ---


@command.group()
def webvh() -> None:
    """Write the history of a did:webvh: keys that change hands where everybody can check it.

    Example: guildmark keys webvh create https://a.example --update-key now.key --next-key next.key --key issuer.key
    """


_UPDATE = click.option("--update-key", "update", metavar="FILE", required=True, help="The Ed25519 key that signs it.")
_NEXT = click.option(
    "--next-key",
    "following",
    metavar="FILE",
    multiple=True,
    help="A key that may write the next entry: its key file, or its Multikey. Keep it elsewhere. Repeatable.",
)
_KEYS = click.option("--key", "keys", metavar="FILE", multiple=True, help="A key that signs credentials. Repeatable.")


@webvh.command()
@click.argument("address")
@_UPDATE
@_NEXT
@_KEYS
@click.option("--portable", is_flag=True, help="Permit that the identifier moves to another host later.")
@click.option("--out", metavar="DIR", default=".", show_default=True, help="Where did.jsonl and did.json are written.")
@_NOW
def create(
    address: str,
    update: str,
    following: tuple[str, ...],
    keys: tuple[str, ...],
    portable: bool,
    out: str,
    at: str | None,
) -> None:
    """Write the first entry of a did:webvh to be published under the https ADDRESS.

    The next keys are committed to, so that whoever steals the present one cannot pass the identifier on. did.json is
    the same for those who know did:web only.

    Example: guildmark keys webvh create https://a.example --update-key now.key --next-key next.key --key issuer.key

    Exit codes: 0 written, 2 it cannot be.
    """
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.did import did_document, did_web_of
    from guildmark.credential.webvh import Settings, placeholder
    from guildmark.credential.webvh import create as first_entry

    if not keys:
        raise BrokenInput("no key would sign credentials", where=address, hint="name one with --key")
    if (Path(out) / "did.jsonl").exists():
        raise BrokenInput(
            "is there already", where=str(Path(out) / "did.jsonl"), hint="use guildmark keys webvh rotate"
        )
    web = did_web_of(address)
    open_name = placeholder(web)
    told = did_document(open_name, _named(keys, open_name), also_known_as=[web])
    settings = Settings(portable=True) if portable else None
    committed = [_multikey(key) for key in following]
    did, line = first_entry(told, _opened(update), now=moment(at), next_keys=committed, settings=settings)
    _publish(Path(out), line)
    say(did)
    for key in _named(keys, did):
        say(f"signs as {key.key_id}", err=True)


@webvh.command()
@click.argument("log")
@_UPDATE
@_NEXT
@_KEYS
@click.option("--to", metavar="FILE", multiple=True, help="Who takes over where no key was committed to. Repeatable.")
@_NOW
def rotate(
    log: str, update: str, following: tuple[str, ...], keys: tuple[str, ...], to: tuple[str, ...], at: str | None
) -> None:
    """Add an entry to the history in the file LOG by which the next keys take over.

    --update-key is a key that was committed to before; with --key the keys that sign credentials are others from now
    on. did.json beside LOG is written anew.

    Example: guildmark keys webvh rotate did.jsonl --update-key next.key --next-key later.key

    Exit codes: 0 added, 2 it cannot be, and nothing was changed.
    """
    from guildmark.core.codecs import parse_json
    from guildmark.credential.did import did_document
    from guildmark.credential.webvh import rotate as next_entry

    body, now = read_input(log, limit=1_000_000), moment(at)
    before = _newest(log, body, now)
    told = None
    if keys:
        told = did_document(before["id"], _named(keys, before["id"]), also_known_as=before.get("alsoKnownAs", []))
    committed, taking = [_multikey(key) for key in following], [_multikey(key) for key in to]
    line = next_entry(body, _opened(update), now=now, next_keys=committed, to=taking, document=told)
    _publish(Path(log).parent, body + line, Path(log).name)
    say(parse_json(line)["versionId"])


@webvh.command()
@click.argument("log")
@_UPDATE
@_NOW
def deactivate(log: str, update: str, at: str | None) -> None:
    """Add the last entry to the history in the file LOG: the identifier is given up for good.

    What was signed in its name does not verify any more. did.json beside LOG has to be taken down.

    Example: guildmark keys webvh deactivate did.jsonl --update-key next.key

    Exit codes: 0 added, 2 it cannot be, and nothing was changed.
    """
    from guildmark.core.codecs import parse_json
    from guildmark.credential.webvh import deactivate as last_entry

    body, now = read_input(log, limit=1_000_000), moment(at)
    _newest(log, body, now)
    line = last_entry(body, _opened(update), now=now)
    write_files(Path(log).parent, {Path(log).name: body + line})
    say(parse_json(line)["versionId"])


# --- Files ---


def _passphrase() -> str:
    return os.environ.get(PASSPHRASE, "")


def _public(file: str) -> PublicKey:
    return _told(file, read_input(file, limit=100_000))


def _told(file: str, sealed: bytes) -> PublicKey:
    """What a key file says about itself; a file that is none is told by its name."""
    from guildmark.adapters.keys import public_half
    from guildmark.core.errors import BrokenInput

    try:
        return public_half(sealed)
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=place(file), hint=problem.hint) from problem


def _opened(file: str) -> SoftwareSigner:
    from guildmark.adapters.keys import open_key

    sealed = read_input(file, limit=100_000)
    _told(file, sealed)
    return open_key(sealed, passphrase=_passphrase())


def _newest(log: str, body: bytes, now: datetime) -> Mapping[str, Any]:
    """The newest document of a history; BrokenInput, naming the file and the entry, if it does not hold."""
    from guildmark.core.errors import BrokenInput
    from guildmark.credential.webvh import versions_in

    try:
        return versions_in(body, now)[-1].document
    except BrokenInput as problem:
        raise BrokenInput(problem.what, where=f"{place(log)}: {problem.where}", hint=problem.hint) from problem


def _write_key(file: str, sealed: bytes) -> None:
    """A new file that only its owner can read; one that is there is never written over, since a key has no copy."""
    from guildmark.core.errors import BrokenInput

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as stream:
            stream.write(sealed + b"\n")
    except OSError as problem:
        raise BrokenInput(f"cannot be written ({problem.strerror})", where=file, hint="name a new file") from problem


def _publish(folder: Path, log: bytes, name: str = "did.jsonl") -> None:
    """The history, and beside it the document of the did:web in the same place."""
    from guildmark.core.codecs import jcs, parse_json
    from guildmark.credential.webvh import parallel_did_web

    newest = parse_json(log.splitlines()[-1])["state"]
    write_files(folder, {name: log, "did.json": jcs(parallel_did_web(newest)) + b"\n"})


def _named(files: Sequence[str], owner: str) -> list[PublicKey]:
    """The keys in files under names of this owner: `#key-1` and so on, or the fragment that each has already."""
    from guildmark.credential.keys import PublicKey

    found = []
    for number, file in enumerate(files, start=1):
        key = _public(file)
        fragment = key.key_id.partition("#")[2]
        given = fragment if fragment and not key.key_id.startswith(("did:key:", "did:jwk:")) else f"key-{number}"
        found.append(PublicKey(f"{owner}#{given}", key.algorithm, key.public_key))
    return found


def _multikey(source: str) -> str:
    """The Multikey in a key file, or the one that stands there itself."""
    return source if source.startswith("z6Mk") and not Path(source).exists() else _public(source).multikey


# --- Showing ---


def _own_name(signer: SoftwareSigner) -> str:
    from guildmark.credential.did import did_jwk, did_key

    if signer.algorithm == "RSA":
        return f"{did_jwk(signer)}#0"
    did = did_key(signer.public_key, signer.algorithm)
    return f"{did}#{did.removeprefix('did:key:')}"


def _show(key: PublicKey | SoftwareSigner, as_json: bool) -> None:
    from guildmark.core.codecs import jcs
    from guildmark.credential.did import did_jwk, did_key
    from guildmark.credential.keys import PublicKey, jwk_of, jwk_thumbprint

    public = PublicKey(key.key_id, key.algorithm, key.public_key)
    forms: dict[str, Any] = {"id": key.key_id, "kind": key.algorithm}
    if key.algorithm != "RSA":  # which has no Multikey
        forms |= {"multikey": public.multikey, "did:key": did_key(key.public_key, key.algorithm)}
    forms |= {"did:jwk": did_jwk(public), "thumbprint": jwk_thumbprint(public), "jwk": jwk_of(public)}
    if as_json:
        print_json(forms)
        return
    for name, value in forms.items():
        say(f"{name + ':':<12}{value if isinstance(value, str) else jcs(value).decode()}")
