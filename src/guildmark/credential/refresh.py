"""Whether the issuer has published a newer edition of a credential since, where the credential says that it would.

Rules (Open Badges 3.0, OpenBadgeCredential Verification step 3; VC Data Model 2.0 section 5.4 Refreshing):

1. only a service of the type `1EdTechCredentialRefresh` is asked, by fetching its id over https; what the VC Data Model
   says of others (their protocols, what a holder has to show them) is theirs;
2. the proof is looked at first: somebody who is not the issuer sends nobody anywhere;
3. what comes back counts if it is the same credential, by the ids of issuer and credential, if it is the more recent of
   the two, and if its own signature holds; then it alone is judged, whole, and is not refreshed again;
4. whatever goes wrong leaves the credential at hand to be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from guildmark.core.codecs import iso, parse_iso
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.core.report import Finding, Verdict
from guildmark.credential.envelope import Opened
from guildmark.credential.open_badge import replaces, same_credential
from guildmark.credential.signed import World, listed, plain, sentence

SOURCE = "Open Badges 3.0, OpenBadgeCredential Verification step 3; VC Data Model 2.0, 5.4 Refreshing"

KIND = "1EdTechCredentialRefresh"

_AT_HAND = "; the credential at hand was judged."


def newer_edition(
    document: Mapping[str, Any],
    findings: tuple[Finding, ...],
    world: World,
    read: Callable[[bytes], Opened | str],
    verify: Callable[[Opened], tuple[Finding, ...]],
) -> tuple[Opened | None, tuple[Finding, ...]]:
    """(the newer edition or None, what is to be said): the findings are those about the newer edition, or about the
    credential at hand as given, and one more, `document.refresh`, which says which was judged.

    `read` opens bytes, or says in words why they are no credential; `verify` looks at what was opened.
    """
    because: dict[str, Any] = {"judged": "the credential at hand"}

    def at_hand(verdict: Verdict, says: str) -> tuple[None, tuple[Finding, ...]]:
        finding = Finding("document.refresh", verdict, sentence(says), False, because, SOURCE)
        return None, (*findings, finding)

    services = [s for s in listed(document.get("refreshService")) if isinstance(s, Mapping)]
    service = next((s for s in services if KIND in listed(s.get("type"))), None)
    if service is None:
        kinds = [str(kind) for s in services for kind in listed(s.get("type"))]
        kind = plain(kinds[0] if kinds else "no type", 60)
        return at_hand(
            Verdict.UNKNOWN, f"It names a refresh service of a kind that is not asked here ({kind}){_AT_HAND}"
        )
    url = service.get("id")
    because["service"] = plain(url, 300)
    if not isinstance(url, str) or not url.startswith("https://"):
        return at_hand(Verdict.UNKNOWN, f"Its refresh service has no safe address{_AT_HAND}")
    if _trouble(findings):
        return at_hand(
            Verdict.UNKNOWN, f"Its refresh service was not asked, since its signature is not its issuer's{_AT_HAND}"
        )
    try:
        newer = read(world.fetch(url).body)
    except OutsideFailure as problem:
        return at_hand(Verdict.UNKNOWN, f"Its refresh service is out of reach{_AT_HAND} {plain(problem, 300)}")
    except BrokenInput:
        newer = "no credential"
    if isinstance(newer, str) or not same_credential(newer.document, document):
        return at_hand(Verdict.UNKNOWN, f"Its refresh service does not have this credential{_AT_HAND}")
    try:
        is_newer = replaces(newer.document, document)
    except BrokenInput:
        return at_hand(Verdict.UNKNOWN, f"Which edition is the more recent cannot be told from their dates{_AT_HAND}")
    if not is_newer:
        return at_hand(Verdict.PASS, "Its issuer's refresh service has no newer edition of it.")
    about = verify(newer)
    trouble = _trouble(about)
    if trouble:
        return at_hand(Verdict.UNKNOWN, f"What its refresh service has does not hold{_AT_HAND} {trouble}")
    begins = newer.document.get("validFrom") or newer.document.get("issuanceDate")
    day = iso(parse_iso(str(begins)))[:10]
    because |= {"judged": "the newer edition", "valid from": plain(begins, 60)}
    says = f"Its issuer has published a newer edition of it, of {day}, and that one was judged."
    return newer, (*about, Finding("document.refresh", Verdict.PASS, says, False, because, SOURCE))


def _trouble(findings: tuple[Finding, ...]) -> str:
    """The first thing about structure and proof that keeps a credential from being trusted, "" if nothing does."""
    for finding in findings:
        if finding.id.startswith(("document.", "proof.")) and finding.required and finding.verdict is not Verdict.PASS:
            return finding.says
    return ""
