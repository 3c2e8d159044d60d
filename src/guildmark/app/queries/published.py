"""What this site publishes, by address: DID documents, achievements, signed maps, gate reports, status lists, the log.

One list of kinds (`_ROUTES`) serves the pages, the export to files and the site's own verifications, so that all three
give the same bytes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from guildmark.app.records import BlueprintVersion, GateResult, Organisation, StatusList
from guildmark.core.codecs import jcs
from guildmark.core.doors import Document
from guildmark.core.errors import OutsideFailure
from guildmark.credential.endorsement import scoped_map_url

JSON, CREDENTIAL = "application/json", "application/vc+ld+json"


def published(url: str) -> Document | None:
    """The document at `url`, byte for byte as verifiers get it, or None if nothing is published there."""
    base = settings.BASE_URL + "/"
    if not url.startswith(base):
        return None
    path = url.removeprefix(base)
    for pattern, read in _ROUTES:
        if match := re.fullmatch(pattern, path):
            found = read(**match.groupdict())
            if found is not None:
                body, media_type = found
                return Document(url=url, body=body, media_type=media_type)
    return None


def published_paths() -> Iterator[str]:
    """The path of every document that is published from the database; the log's files are beside them."""
    for row in Organisation.objects.filter(keys__isnull=False).distinct():
        if path := did_path(row):
            yield path
    for row in BlueprintVersion.objects.prefetch_related("endorsements", "gate_results"):
        yield from blueprint_paths(row)
    for row in StatusList.objects.exclude(published=None):
        yield f"status/{row.number}"
        yield f"status/{row.number}/reasons"


def blueprint_paths(row: BlueprintVersion) -> list[str]:
    """The paths of what is published of a blueprint version: achievement, maps that were signed, gate reports."""
    achievement = _achievement_path(row)
    scopes = [e.scope for e in row.endorsements.all()]
    maps = [_map_path(row, scope) for scope in scopes]
    gates = [f"gate/{gate.id}" for gate in row.gate_results.all() if gate.verdict == "pass"]
    drafted = row.state == BlueprintVersion.State.DRAFT
    return list(dict.fromkeys([*([] if drafted else [achievement, f"{achievement}/map"]), *maps, *gates]))


def approval_of(row: BlueprintVersion) -> dict[str, str] | None:
    """The gate report that a badge names, with the digest of the bytes published for it."""
    gate = row.gate_results.filter(verdict="pass").select_related("by").order_by("-seq").first()
    if gate is None:
        return None
    return {
        "url": f"{settings.BASE_URL}/gate/{gate.id}",
        "sha256": hashlib.sha256(gate_document(gate)).hexdigest(),
        "by": row.provider.name,
        "on": gate.at.date().isoformat(),
    }


class PublishedFetcher:
    """A Fetcher over what this site publishes itself; anything else goes to `beyond`, or fails without one.

    Each document is read once, so that whoever checks many credentials at one moment sees them all under the same keys
    and lists. Make a new one for the next moment.
    """

    def __init__(self, beyond: Any = None) -> None:
        self.beyond = beyond
        self._read: dict[str, Document] = {}

    def fetch(self, url: str) -> Document:
        found = self._read.get(url) or published(url)
        if found is not None:
            self._read[url] = found
            return found
        if self.beyond is not None:
            return self.beyond.fetch(url)
        raise OutsideFailure(f"{url} is not published here")


def published_fetcher() -> PublishedFetcher:
    """Reads only what this site publishes: for checking its own credentials without a network."""
    return PublishedFetcher()


def did_path(row: Organisation) -> str | None:
    """Where this site publishes the DID document of an organisation; None if the DID belongs to another host."""
    here = "did:web:" + settings.BASE_URL.removeprefix("https://").partition("/")[0].replace(":", "%3A") + ":"
    return f"{_folder(row)}/{row.slug}/did.json" if row.did.startswith(here) else None


def _folder(row: Organisation) -> str:
    return "issuers" if row.kind == Organisation.Kind.PROVIDER else "partners"


def _achievement_path(row: BlueprintVersion) -> str:
    return f"achievements/{row.blueprint_id.removeprefix('urn:uuid:')}/{row.version}"


def _map_path(row: BlueprintVersion, scope: str | list[str]) -> str:
    url = scoped_map_url(f"{_achievement_path(row)}/map", "whole" if scope == "whole" else tuple(scope))
    return str(url)


def _did_document(folder: str, slug: str) -> tuple[bytes, str] | None:
    from guildmark.credential.did import did_document

    row = Organisation.objects.filter(slug=slug).first()
    if row is None or _folder(row) != folder:
        return None
    return jcs(did_document(row.did, row.keys.filter(retired_at=None))), "application/did+ld+json"


def _blueprint(blueprint: str, version: str) -> BlueprintVersion | None:
    rows = BlueprintVersion.objects.select_related("provider")
    return rows.filter(blueprint_id__in=[blueprint, f"urn:uuid:{blueprint}"], version=int(version)).first()


def blueprint_at(url: str) -> BlueprintVersion | None:
    """The blueprint version whose achievement is published at `url`, with its provider. One statement."""
    pattern = rf"achievements/(?P<blueprint>{_UUID})/(?P<version>[0-9]{{1,6}})"
    match = re.fullmatch(pattern, url.removeprefix(settings.BASE_URL + "/"))
    row = _blueprint(**match.groupdict()) if match else None
    return None if row is None or row.state == BlueprintVersion.State.DRAFT else row


def _achievement(blueprint: str, version: str) -> tuple[bytes, str] | None:
    from guildmark.app.queries.design import blueprint_value
    from guildmark.credential.open_badge import achievement

    row = _blueprint(blueprint, version)
    if row is None or row.state == BlueprintVersion.State.DRAFT:
        return None
    return jcs(achievement(blueprint_value(row), f"{settings.BASE_URL}/{_achievement_path(row)}")), JSON


def _map(blueprint: str, version: str, outcomes: str | None = None) -> tuple[bytes, str] | None:
    from guildmark.app.queries.design import blueprint_value
    from guildmark.core.errors import BrokenInput
    from guildmark.design.codesign import map_document

    row = _blueprint(blueprint, version)
    scope = "whole" if outcomes is None else tuple(unquote(o) for o in outcomes.split(","))
    # A draft's map is shown to the partners who sign it, and to nobody before there is a signature to check.
    if row is None or (row.state == BlueprintVersion.State.DRAFT and not row.endorsements.exists()):
        return None
    try:
        return jcs(map_document(blueprint_value(row), scope)), JSON
    except BrokenInput:
        return None


def _gate(gate: str) -> tuple[bytes, str] | None:
    row = GateResult.objects.filter(id=gate, verdict="pass").select_related("blueprint_version").first()
    return None if row is None else (gate_document(row), JSON)


def gate_document(row: GateResult) -> bytes:
    """What the gate found, as published: the report, the rulebooks and their versions, the content it is about."""
    return jcs(
        {
            "blueprint": row.blueprint_version.blueprint_id,
            "version": row.blueprint_version.version,
            "sha256": row.digest,
            "rulebooks": row.rulebooks,
            "report": row.report,
            "at": row.at.isoformat(),
        }
    )


def _status(number: str) -> tuple[bytes, str] | None:
    row = StatusList.objects.filter(number=int(number)).first()
    return None if row is None or row.published is None else (row.published, CREDENTIAL)


def _reasons(number: str) -> tuple[bytes, str] | None:
    row = StatusList.objects.filter(number=int(number)).first()
    return None if row is None or row.published_reasons is None else (row.published_reasons, CREDENTIAL)


def _log_file(path: str) -> tuple[bytes, str] | None:
    from guildmark.app.doors import log_folder

    file = log_folder() / path
    try:
        body = file.read_bytes()
    except OSError:
        return None
    return body, "application/octet-stream" if path.startswith("tile/") else "text/plain; charset=utf-8"


_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ROUTES: list[tuple[str, Callable[..., tuple[bytes, str] | None]]] = [
    (r"(?P<folder>issuers|partners)/(?P<slug>[a-z0-9-]+)/did\.json", _did_document),
    (rf"achievements/(?P<blueprint>{_UUID})/(?P<version>[0-9]{{1,6}})", _achievement),
    (
        rf"achievements/(?P<blueprint>{_UUID})/(?P<version>[0-9]{{1,6}})/map(?:\?outcomes=(?P<outcomes>[^?#]{{1,2000}}))?",
        _map,
    ),
    (rf"gate/(?P<gate>{_UUID})", _gate),
    (r"status/(?P<number>[0-9]{1,8})", _status),
    (r"status/(?P<number>[0-9]{1,8})/reasons", _reasons),
    (
        r"log/(?P<path>checkpoint|vkey|tile/(?:entries|[0-9]{1,2})/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?)",
        _log_file,
    ),
]
