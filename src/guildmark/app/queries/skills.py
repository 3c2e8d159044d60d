"""Reads of the skills room: frameworks as values, demand lines with an ad that shows them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from guildmark.app.records import DemandSnapshot, JobAd, Mention, SkillFramework
from guildmark.core.errors import BrokenInput
from guildmark.skills.ads import JobAd as AdValue
from guildmark.skills.extract import Mention as MentionValue
from guildmark.skills.framework import Framework, Skill


def loaded_framework(id: str) -> SkillFramework:
    """The framework's record; BrokenInput if it is not loaded."""
    record = SkillFramework.objects.filter(id=id).first()
    if record is None:
        raise BrokenInput(f"framework {id!r} is not loaded", hint="run guildmark site load-framework")
    return record


def ad_value(row: JobAd) -> AdValue:
    """The job ad as the rooms know it."""
    return AdValue(
        id=row.id,
        title=row.title,
        employer=row.employer,
        text=row.text,
        posted=row.posted,
        place=row.place,
        source=row.source,
    )


def ads_that_hold(query: str) -> QuerySet[JobAd]:
    """The ads whose title or text holds these words, in any case; all of them for ""."""
    return JobAd.objects.filter(Q(text__icontains=query) | Q(title__icontains=query) if query else Q())


def mention_values(rows: Iterable[Mention]) -> list[MentionValue]:
    """Stored mentions as the rooms know them."""
    return [
        MentionValue(
            ad_id=row.ad_id,
            skill_uri=row.skill_uri,
            label=row.label,
            words=row.words,
            start=row.start,
            end=row.end,
            confidence=row.confidence,
        )
        for row in rows
    ]


def framework_value(record: SkillFramework) -> Framework:
    """The framework as the rooms know it, without occupations. One statement."""
    skills = {
        row.uri: Skill(
            uri=row.uri,
            label=row.label,
            alt_labels=tuple(row.alt_labels),
            description=row.description,
            kind=row.kind,
            codes=row.codes,
        )
        for row in record.skills.all()
    }
    return Framework(
        id=record.id,
        title=record.title,
        version=record.version,
        licence=record.licence,
        skills=skills,
        occupations={},
    )


def words_that_show(snapshot: DemandSnapshot, skill_uri: str, *, most: int = 3) -> list[str]:
    """Up to `most` different wordings in which the ads of this snapshot asked for a skill, most frequent first.

    Of the ads that were there when it was measured; ads that came later show nothing of it. One statement.
    """
    ads = ads_that_hold(snapshot.query).filter(ingested_at__lte=snapshot.measured_at)
    framework = Q(framework_id=snapshot.framework) if snapshot.framework else Q()  # unknown for the oldest snapshots
    rows = (
        Mention.objects.filter(framework, skill_uri=skill_uri, ad__in=ads.values("id"))
        .values("words")
        .annotate(n=Count("id"))
        .order_by("-n", "words")[:most]
    )
    return [row["words"] for row in rows]


def words_in(snapshot: DemandSnapshot, skill_uris: list[str], *, most: int = 3) -> dict[str, list[str]]:
    """As `words_that_show`, for many skills at once. One statement."""
    ads = ads_that_hold(snapshot.query).filter(ingested_at__lte=snapshot.measured_at)
    framework = Q(framework_id=snapshot.framework) if snapshot.framework else Q()
    rows = (
        Mention.objects.filter(framework, skill_uri__in=skill_uris, ad__in=ads.values("id"))
        .values("skill_uri", "words")
        .annotate(n=Count("id"))
        .order_by("-n", "words")
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        words = found.setdefault(row["skill_uri"], [])
        if len(words) < most and row["words"].casefold() not in (w.casefold() for w in words):
            words.append(row["words"])
    return found
