"""Everything that is kept about a learner, as one zip file made in memory and bounded."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.text import slugify

from guildmark.app.doors import blob_store
from guildmark.app.queries.awards import files_of
from guildmark.app.queries.learning import decisions_of, enrolments_of
from guildmark.app.records import Award, HolderProfile, Learner
from guildmark.app.work_files import file_name
from guildmark.core.errors import GuildmarkError

MOST_BYTES = 100_000_000
"""Bytes of all files before they are packed; what would go beyond is named in the index instead."""

MOST_AWARDS = 50
"""Credentials with all their files; for more, each has its own page."""


TOO_MUCH = "The whole would be too large; fetch this one by itself, from its page."


class _Zip:
    """Files are added while there is room; the index says of each what it is, or why it is not there."""

    def __init__(self, now: datetime) -> None:
        self.body = io.BytesIO()
        self.archive = zipfile.ZipFile(self.body, "w", zipfile.ZIP_DEFLATED)
        self.date = now.timetuple()[:6]
        self.room = MOST_BYTES
        self.files: list[dict[str, Any]] = []
        self.left_out: list[dict[str, str]] = []

    def add(self, path: str, says: str, make: Callable[[], bytes]) -> None:
        try:
            body = make()
        except GuildmarkError as problem:
            self.left_out.append({"path": path, "says": says, "why": str(problem)})
            return
        if len(body) > self.room:
            self.left_out.append({"path": path, "says": says, "why": TOO_MUCH})
            return
        self.room -= len(body)
        self._write(path, body)
        self.files.append({"path": path, "says": says, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()})

    def add_json(self, path: str, says: str, value: Any) -> None:
        self.add(path, says, lambda: _json(value))

    def done(self, about: dict[str, Any]) -> bytes:
        """The zip with its index."""
        self._write("index.json", _json({**about, "files": self.files, "left_out": self.left_out}))
        self.archive.close()
        return self.body.getvalue()

    def _write(self, path: str, body: bytes) -> None:
        info = zipfile.ZipInfo(path, self.date)
        info.compress_type = zipfile.ZIP_DEFLATED
        self.archive.writestr(info, body)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode()


def everything_of(learner: Learner, *, now: datetime) -> bytes:
    """The learner's credentials with their files and receipts, learning, work, decisions and consents; a zip."""
    out = _Zip(now)
    awards = list(learner.awards.select_related("issuer", "learner").order_by("-issued_at", "id"))
    for award in awards[:MOST_AWARDS]:
        name = f"{slugify(award.title)[:60] or 'credential'}-{str(award.id)[:8]}"
        folder = f"credentials/{award.issued_at:%Y-%m-%d}-{name}"
        for file in files_of(award):
            out.add(f"{folder}/{file.name}", file.says, lambda file=file, award=award: file.make(award))
        out.add_json(f"{folder}/status.json", "What happened to it, as the issuer recorded it", _status(award))
    for award in awards[MOST_AWARDS:]:
        why = f"Only the newest {MOST_AWARDS} are packed; take it from its own page."
        out.left_out.append({"path": award.credential_id, "says": award.title, "why": why})
    for held in learner.held.all():
        kind = {"json": "json", "jws": "jws"}[held.form]
        path = f"received/{slugify(held.title)[:60] or 'credential'}-{str(held.id)[:8]}.{kind}"
        out.add(path, f"Brought by an app: {held.title}", lambda held=held: bytes(held.document))
    if profile := HolderProfile.objects.filter(learner=learner).first():
        out.add("profile.json", "What an app wrote about you for other apps", lambda: bytes(profile.document))
    _learning(out, learner)
    out.add_json(
        "consents.json",
        "What you agreed to, and what you withdrew",
        [
            {
                "purpose": row.purpose,
                "granted_at": row.granted_at.isoformat(),
                "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
            }
            for row in learner.consents.all()
        ],
    )
    about = {"name": learner.name, "email": learner.email, "learner": str(learner.id), "made_at": now.isoformat()}
    return out.done(about)


def _learning(out: _Zip, learner: Learner) -> None:
    """Enrolments with their decisions, and the work handed in as files."""
    learning = []
    for enrolment in enrolments_of(learner).prefetch_related("done__activity", "submissions"):
        folder = f"work/{str(enrolment.id)[:8]}"
        decisions = [decision.to_json() for decision in decisions_of(enrolment)]
        learning.append(
            {
                "enrolment": str(enrolment.id),
                "micro_credential": enrolment.offering.blueprint_version.title,
                "offering": enrolment.offering.title,
                "provider": enrolment.offering.blueprint_version.provider.name,
                "enrolled_at": enrolment.enrolled_at.isoformat(),
                "activities_done": [
                    {"title": d.activity.title, "at": d.done_at.isoformat()} for d in enrolment.done.all()
                ],
                "work": [
                    {
                        "assessment": s.assessment,
                        "title": s.title,
                        "media_type": s.media_type,
                        "sha256": s.sha256,
                        "at": s.submitted_at.isoformat(),
                    }
                    for s in enrolment.submissions.all()
                ],
                "decisions": decisions,
            }
        )
        for row in enrolment.submissions.all():
            name = f"{folder}/{slugify(row.assessment)}-{file_name(row.title, row.media_type)}"
            out.add(name, f"Work handed in: {row.title}", lambda row=row: blob_store().get(row.sha256))
    out.add_json("learning.json", "Where you learned, what you handed in, and what was decided", learning)


def _status(award: Award) -> dict[str, Any]:
    return {
        "credential": award.credential_id,
        "state": award.state,
        "issued_at": award.issued_at.isoformat(),
        "valid_until": award.valid_until.isoformat() if award.valid_until else None,
        "taken_at": award.claimed_at.isoformat() if award.claimed_at else None,
        "changes": [{"state": c.state, "code": c.code, "at": c.at.isoformat()} for c in award.status_changes.all()],
        "shared": [
            {
                "from": s.made_at.isoformat(),
                "until": s.expires_at.isoformat(),
                "ended_at": s.revoked_at.isoformat() if s.revoked_at else None,
            }
            for s in award.share_links.all()
        ],
    }
