"""Reads of the skills room: frameworks as values, demand lines with an ad that shows them."""

from __future__ import annotations

from guildmark.app.records import DemandSnapshot, Mention, SkillFramework
from guildmark.skills.framework import Framework, Skill


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
    """Up to `most` different wordings in which ads asked for a skill, most frequent first."""
    from django.db.models import Count

    rows = (
        Mention.objects.filter(skill_uri=skill_uri)
        .values("words")
        .annotate(n=Count("id"))
        .order_by("-n", "words")[:most]
    )
    return [row["words"] for row in rows]
