"""One award, other envelopes: the credential that was awarded, made anew as a token when somebody asks for it.

Nothing of it is stored: what was awarded stays the bytes that were signed then. A token is a new signature of the
issuer's under the same document, so it is made only of an award that is in force, and only if what is stored is still
what the issuer signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guildmark.app.records import Award, OrganisationKey
from guildmark.app.services.keys import signer_for
from guildmark.core.codecs import parse_json
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.core.report import Verdict
from guildmark.credential.envelope import MEDIA_TYPES
from guildmark.credential.jose import VC_JWT, sign_vc_jwt
from guildmark.credential.keys import PublicKey
from guildmark.credential.proof import check_proofs
from guildmark.credential.resolve import FoundKey
from guildmark.credential.sd_jwt import SD_JWT_VC, present_sd_jwt, sign_sd_jwt
from guildmark.credential.signed import listed

Entropy = Callable[[int], bytes]

FILES = {VC_JWT: "credential.jwt", SD_JWT_VC: "credential.sd-jwt"}
"""Form -> the name of its file."""

VCT = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential"
"""The type of our SD-JWT VCs: what the vocabulary of Open Badges 3.0 calls this kind of credential."""

NAME, EMAIL, RESULTS = PARTS = ("name", "email", "results")
"""What a holder may show or keep back. Evidence counts to the results, since it says what was decided, in figures."""

_IDENTITIES = {NAME: "name", EMAIL: "emailAddress"}


@dataclass(frozen=True, slots=True)
class Token:
    """A credential as text, ready to be handed out."""

    file_name: str
    media_type: str
    text: str


def made_anew(award: Award) -> tuple[str, ...]:
    """The forms in which the award can be had now besides the bytes that were signed.

    None of an award that is not in force; of a larger credential only those that show all of it, since the
    credentials inside have signatures of their own over the holder's name and results.
    """
    if award.state != Award.State.VALID or not award.document:
        return ()
    return (VC_JWT,) if award.kind == "clr" else (VC_JWT, SD_JWT_VC)


def in_envelope(award: Award, form: str, *, show: Collection[str] = PARTS, entropy: Entropy, now: datetime) -> Token:
    """The award's credential as a VC-JWT or an SD-JWT VC, signed now by the issuer's key; it holds the same document.

    Of an SD-JWT only the parts in `show` are disclosed, and nobody can find out the others: every hash has 16 fresh
    bytes of `entropy`. A VC-JWT shows everything, and comes out the same each time.

    NotAllowed for an award that is suspended or revoked, whose learner was erased, or whose stored document is not
    what the issuer signed; BrokenInput for a part that there is not, and if what is shown would name nobody. One
    signature, some two statements.
    """
    _ask(award, form, show)
    document = parse_json(bytes(award.document), where=award.credential_id)
    if not _is_what_was_signed(document, award, now):
        raise NotAllowed("What is stored of this award is not what its issuer signed, so it is not signed again.")
    bare = {name: value for name, value in document.items() if name != "proof"}
    signer = signer_for(award.issuer)
    if form == VC_JWT:
        text = sign_vc_jwt(bare, signer)
    else:
        parts = {part: list(_places(bare, part)) for part in PARTS}
        every = [place for places in parts.values() for place in places]
        text = sign_sd_jwt(bare, signer, hide=every, randomness=entropy, vct=VCT)
        text = present_sd_jwt(text, show=[place for part in PARTS if part in show for place in parts[part]])
    return Token(FILES[form], MEDIA_TYPES[form], text)


def _ask(award: Award, form: str, show: Collection[str]) -> None:
    if not award.document:
        raise NotAllowed("The learner of this award was erased, and its documents with them.")
    if award.state != Award.State.VALID:
        if award.state == Award.State.REVOKED:
            raise NotAllowed("This credential is revoked, so its issuer does not sign it again.")
        raise NotAllowed("This credential is suspended, so its issuer does not sign it again before that has ended.")
    if form not in FILES:
        raise BrokenInput(f"there is no form {form[:40]!r}", hint=f"ask for {' or '.join(FILES)}")
    if form not in made_anew(award):
        raise NotAllowed(
            "A larger credential cannot be shown in part: the credentials inside have signatures over all they say."
        )
    if strange := sorted(set(show) - set(PARTS)):
        raise BrokenInput(f"{strange[0][:40]!r} is no part to show", hint=f"choose among {', '.join(PARTS)}")
    if form == SD_JWT_VC and not {NAME, EMAIL} & set(show):
        raise BrokenInput(
            "Neither name nor e-mail address would be shown, so nobody could tell whose it is", hint="show one of them"
        )


def _is_what_was_signed(document: Mapping[str, Any], award: Award, now: datetime) -> bool:
    """Whether a key of the issuer's own, retired or not, signed the stored document and all of it."""
    keys = {
        row.key_id: PublicKey(row.key_id, row.algorithm, bytes(row.public_key))
        for row in OrganisationKey.objects.filter(organisation=award.issuer, purpose="issue")
    }

    def find(method: str) -> FoundKey:
        vouched = Verdict.PASS if method in keys else Verdict.FAIL
        return FoundKey(keys.get(method), award.issuer.did, vouched, "")

    checks = check_proofs(document, find, now=now)
    return document.get("id") == award.credential_id and any(
        check.verdict is Verdict.PASS and check.losses == () for check in checks
    )


def _places(document: Mapping[str, Any], part: str) -> Iterator[str]:
    """JSON Pointers to all that belongs to a part.

    Of evidence its members are hidden, and not the list: a verifier who may be kept from members of the credential
    itself cannot tell whether one of them was its end.
    """
    subject = document["credentialSubject"]
    if part == RESULTS:
        if "result" in subject:
            yield "/credentialSubject/result"
        for number, entry in enumerate(listed(document.get("evidence"))):
            inside = f"/evidence/{number}" if isinstance(document["evidence"], list) else "/evidence"
            yield from (f"{inside}/{name}" for name in entry if name != "type")
        return
    for number, entry in enumerate(listed(subject.get("identifier"))):
        if entry.get("identityType") == _IDENTITIES[part]:
            yield f"/credentialSubject/identifier/{number}"
