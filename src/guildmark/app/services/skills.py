"""What is needed: frameworks and job ads come in, skills are found in them, demand is measured and frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from guildmark.app.queries.skills import ad_value, ads_that_hold, framework_value, loaded_framework, mention_values
from guildmark.app.records import DemandSnapshot, JobAd, Mention, Organisation, Person, Skill, SkillFramework
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import fits, verb
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


@verb
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


@verb
def begin_with_a_framework(*, now: datetime) -> SkillFramework | None:
    """Our own small framework is in the database if there was none at all, as on a site that has just begun."""
    if SkillFramework.objects.exists():
        return None
    record, _ = load_framework(path=None, now=now)
    return record


@verb
def ingest_ads(
    *, path: Path | None, now: datetime, read: ads_room.ReadAds | None = None, actor: Person | None = None
) -> Ingested:
    """The job ads at `path`, or already `read`, or our own few, are in; an ad whose text is known is not added twice.

    An ad whose id belongs to another text already is listed as a bad row; the others are taken all the same.
    """
    if read is None:
        read = ads_room.ReadAds(ads_room.builtin_ads(), ()) if path is None else ads_room.read_ads(path)
    found, problems = read.ads, list(read.problems)
    place = dict(zip((ad.id for ad in found), read.rows, strict=False))
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
    known, ids = _already("text_sha256", list(rows)), _already("id", [row.id for row in rows.values()])
    new = []
    for digest, row in rows.items():
        if digest in known:
            continue
        if row.id in ids:
            says = f"{row.id[:60]!r} is here already with another text; give a changed ad a new id"
            problems.append(RowProblem(place.get(row.id, 0), "id", says))
        else:
            new.append(row)
    JobAd.objects.bulk_create(new, batch_size=BATCH)
    note_event(verb="ingest_ads", subject=str(path or "builtin"), actor=actor, now=now, added=len(new))
    return Ingested(len(new), len(known), tuple(sorted(problems, key=lambda problem: problem.row)))


def _already(column: str, values: list[str]) -> set[str]:
    """Which of these values some ad has; asked in portions, since a database takes no endless list."""
    portions = (values[start : start + BATCH] for start in range(0, len(values), BATCH))
    asked = (JobAd.objects.filter(**{f"{column}__in": portion}) for portion in portions)
    return {value for ads in asked for value in ads.values_list(column, flat=True)}


@verb
def add_ad(
    *, id: str, title: str, employer: str, place: str, text: str, source: str, actor: Person, now: datetime
) -> JobAd:
    """One ad that somebody pasted is in, with the mentions that every loaded framework finds in it.

    An ad whose text is known already is that ad, unchanged. BrokenInput for a text that is empty or too long.
    """
    text = text.strip()
    if not text:
        raise BrokenInput("an ad needs a text", where=title, hint="paste what the ad says")
    if len(text) > ads_room.LONGEST_TEXT:
        raise BrokenInput(
            f"the ad has {len(text):,} characters", where=title, hint=f"at most {ads_room.LONGEST_TEXT:,} are read"
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    row, made = JobAd.objects.get_or_create(
        text_sha256=digest,
        defaults={
            "id": id[:200],
            "source": source[: ads_room.LONGEST_LINE],
            "title": title[: ads_room.LONGEST_LINE],
            "employer": employer[: ads_room.LONGEST_LINE],
            "place": place[: ads_room.LONGEST_LINE],
            "text": text,
            "ingested_at": now,
        },
    )
    if made:
        mentions = 0
        for framework in SkillFramework.objects.order_by("id"):
            found = extract.Extractor(framework_value(framework)).mentions(ad_value(row))
            mentions += len(Mention.objects.bulk_create([_mention(framework, m) for m in found], batch_size=BATCH))
        note_event(verb="add_ad", subject=row.id, actor=actor, now=now, mentions=mentions)
    return row


def _mention(framework: SkillFramework, found: extract.Mention) -> Mention:
    return Mention(
        ad_id=found.ad_id,
        framework=framework,
        skill_uri=found.skill_uri,
        label=found.label[:300],
        words=found.words[:300],
        start=found.start,
        end=found.end,
        confidence=found.confidence,
    )


def bring_ads(*, read: ads_room.ReadAds, provider: Organisation, actor: Person, now: datetime) -> Ingested:
    """The ads that a provider brought are in, as `ingest_ads` has it, with the mentions of every loaded framework.

    Ads are everybody's, so each bears the provider's short name in its id, which others' ids then cannot clash with,
    and its name in the source. Reading takes long, so it is done first, and nobody waits for it.
    """
    own = tuple(replace(ad, id=f"{provider.slug}:{ad.id}", source=f"{provider.name}: {ad.source}") for ad in read.ads)
    for ad in own:
        fits(JobAd, id=ad.id)
    found = [
        _mention(framework, m)
        for framework in SkillFramework.objects.order_by("id")
        for reader in [extract.Extractor(framework_value(framework))]
        for ad in own
        for m in reader.mentions(ad)
    ]
    return _bring(replace(read, ads=own), found, provider=provider, actor=actor, now=now)


@verb
def _bring(
    read: ads_room.ReadAds, found: Iterable[Mention], *, provider: Organisation, actor: Person, now: datetime
) -> Ingested:
    ids = [ad.id for ad in read.ads]
    before = _already("id", ids)
    ingested = ingest_ads(path=Path(provider.slug), read=read, actor=actor, now=now)
    new = _already("id", ids) - before
    Mention.objects.bulk_create((m for m in found if m.ad_id in new), batch_size=BATCH)
    return ingested


def extract_mentions(*, framework_id: str, now: datetime) -> int:
    """Every ad has the mentions that this framework's labels find in it, with the words that show them; how many.

    Reading the ads takes long, so it is done first, and no transaction keeps others waiting meanwhile.
    """
    record = loaded_framework(framework_id)
    extractor = extract.Extractor(framework_value(record))
    found = [
        _mention(record, m) for row in JobAd.objects.iterator(chunk_size=200) for m in extractor.mentions(ad_value(row))
    ]
    return _keep_mentions(record, found, now=now)


@verb
def _keep_mentions(record: SkillFramework, found: list[Mention], *, now: datetime) -> int:
    Mention.objects.filter(framework=record).delete()
    Mention.objects.bulk_create(found, batch_size=BATCH)
    note_event(verb="extract_mentions", subject=record.id, actor=None, now=now, mentions=len(found))
    return len(found)


@verb
def refresh_demand(
    *, id: UUID, framework_id: str, query: str, on: date, now: datetime, actor: Person | None = None
) -> DemandSnapshot:
    """Demand per skill over the ads whose title or text holds `query` (all of them for ""), counted and frozen."""
    fits(DemandSnapshot, query=query)
    ads = ads_that_hold(query)
    values = [ad_value(row) for row in ads.order_by("id")]
    if not values:
        raise BrokenInput(f"no job ad holds {query!r}", hint="ingest ads first, or ask for other words")
    mentions = mention_values(Mention.objects.filter(framework_id=framework_id, ad__in=ads.values("id")))
    lines = demand_room.measure_demand(values, mentions, query=query)
    sources = sorted({v.source for v in values})
    frozen = demand_room.freeze_demand(lines, source="; ".join(sources), query=query, on=on, of=len(values))
    snapshot = DemandSnapshot.objects.create(
        id=id,
        source=frozen.source[:300],
        framework=framework_id,
        query=query,
        on=on,
        of=len(values),
        lines=[line.to_json() for line in lines],
        frozen=frozen.to_json(),
        sha256=frozen.sha256,
        measured_at=now,
    )
    note_event(verb="refresh_demand", subject=str(id), actor=actor, now=now, ads=len(values), query=query)
    return snapshot
