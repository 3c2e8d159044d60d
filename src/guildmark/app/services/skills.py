"""What is needed: frameworks and job ads come in, skills are found in them, demand is measured and frozen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction

from guildmark.app.queries.skills import framework_value
from guildmark.app.records import DemandSnapshot, JobAd, Mention, Skill, SkillFramework
from guildmark.app.services.events import note_event
from guildmark.core.errors import BrokenInput
from guildmark.core.problems import RowProblem
from guildmark.skills import ads as ads_room
from guildmark.skills import demand as demand_room
from guildmark.skills import extract
from guildmark.skills import load as load_room

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of a bulk input: how many rows are in, how many were there already, and the bad rows."""

    added: int
    known: int
    problems: tuple[RowProblem, ...]


@transaction.atomic
def load_framework(*, path: Path | None, now: datetime) -> tuple[SkillFramework, Ingested]:
    """The framework at `path` (or our own small one) and its skills are in the database; loading again replaces it."""
    if path is None:
        framework, problems = load_room.builtin_framework(), ()
    else:
        loaded = load_room.load_framework(path)
        framework, problems = loaded.framework, tuple(loaded.problems)
    record, made = SkillFramework.objects.update_or_create(
        id=framework.id,
        defaults={
            "title": framework.title,
            "version": framework.version,
            "licence": framework.licence,
            "loaded_at": now,
        },
    )
    if not made:
        record.skills.all().delete()
    Skill.objects.bulk_create(
        (
            Skill(
                framework=record,
                uri=skill.uri,
                label=skill.label[:300],
                alt_labels=list(skill.alt_labels),
                description=skill.description,
                kind=skill.kind,
                codes=dict(skill.codes),
            )
            for skill in framework.skills.values()
        ),
        batch_size=BATCH,
    )
    note_event(verb="load_framework", subject=framework.id, actor=None, now=now, skills=len(framework.skills))
    return record, Ingested(len(framework.skills), 0, problems)


@transaction.atomic
def ingest_ads(*, path: Path | None, now: datetime) -> Ingested:
    """The job ads at `path` (or our own small set) are in; an ad whose text is known already is not added twice."""
    if path is None:
        found, problems = ads_room.builtin_ads(), ()
    else:
        read = ads_room.read_ads(path)
        found, problems = read.ads, tuple(read.problems)
    rows = {}
    for ad in found:
        digest = hashlib.sha256(ad.text.encode()).hexdigest()
        rows[digest] = JobAd(
            id=ad.id[:200],
            source=ad.source[:300],
            title=ad.title[:300],
            employer=ad.employer[:300],
            place=ad.place[:300],
            posted=ad.posted,
            text=ad.text,
            text_sha256=digest,
            ingested_at=now,
        )
    known = set(JobAd.objects.filter(text_sha256__in=list(rows)).values_list("text_sha256", flat=True))
    ids = set(JobAd.objects.filter(id__in=[r.id for r in rows.values()]).values_list("id", flat=True))
    new = []
    for digest, row in rows.items():
        if digest in known:
            continue
        if row.id in ids:
            raise BrokenInput(
                "an ad with this id but another text is there already", where=row.id, hint="give changed ads a new id"
            )
        new.append(row)
    JobAd.objects.bulk_create(new, batch_size=BATCH)
    note_event(verb="ingest_ads", subject=str(path or "builtin"), actor=None, now=now, added=len(new))
    return Ingested(len(new), len(found) - len(new), problems)


@transaction.atomic
def extract_mentions(*, framework_id: str, now: datetime) -> int:
    """Every ad has the mentions that this framework's labels find in it, with the words that show them; how many."""
    record = SkillFramework.objects.filter(id=framework_id).first()
    if record is None:
        raise BrokenInput(f"framework {framework_id!r} is not loaded", hint="run guildmark site load-framework")
    extractor = extract.Extractor(framework_value(record))
    Mention.objects.filter(framework=record).delete()
    total = 0
    batch: list[Mention] = []
    for row in JobAd.objects.iterator(chunk_size=200):
        for m in extractor.mentions(_ad_value(row)):
            batch.append(
                Mention(
                    ad=row,
                    framework=record,
                    skill_uri=m.skill_uri,
                    label=m.label[:300],
                    words=m.words[:300],
                    start=m.start,
                    end=m.end,
                    confidence=m.confidence,
                )
            )
        if len(batch) >= BATCH:
            total += len(Mention.objects.bulk_create(batch))
            batch = []
    total += len(Mention.objects.bulk_create(batch))
    note_event(verb="extract_mentions", subject=framework_id, actor=None, now=now, mentions=total)
    return total


@transaction.atomic
def refresh_demand(*, id: UUID, framework_id: str, query: str, on: date, now: datetime) -> DemandSnapshot:
    """Demand per skill over the ads whose title or text holds `query` (all of them for ""), counted and frozen."""
    ads = JobAd.objects.all()
    if query:
        ads = ads.filter(text__icontains=query) | ads.filter(title__icontains=query)
    values = [_ad_value(row) for row in ads.order_by("id")]
    if not values:
        raise BrokenInput(f"no job ad holds {query!r}", hint="ingest ads first, or ask for other words")
    mentions = [
        extract.Mention(
            ad_id=m.ad_id,
            skill_uri=m.skill_uri,
            label=m.label,
            words=m.words,
            start=m.start,
            end=m.end,
            confidence=m.confidence,
        )
        for m in Mention.objects.filter(framework_id=framework_id, ad__in=[v.id for v in values])
    ]
    lines = demand_room.measure_demand(values, mentions, query=query)
    sources = sorted({v.source for v in values})
    frozen = demand_room.freeze_demand(lines, source="; ".join(sources), query=query, on=on, of=len(values))
    snapshot = DemandSnapshot.objects.create(
        id=id,
        source=frozen.source[:300],
        query=query,
        on=on,
        of=len(values),
        lines=[line.to_json() for line in lines],
        frozen=frozen.to_json(),
        sha256=frozen.sha256,
        measured_at=now,
    )
    note_event(verb="refresh_demand", subject=str(id), actor=None, now=now, ads=len(values), query=query)
    return snapshot


def _ad_value(row: JobAd) -> ads_room.JobAd:
    return ads_room.JobAd(
        id=row.id,
        title=row.title,
        employer=row.employer,
        text=row.text,
        posted=row.posted,
        place=row.place,
        source=row.source,
    )
