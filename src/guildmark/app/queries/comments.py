"""Reads of what partners and providers say to each other about a draft: threads, and those that wait for an answer."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from guildmark.app.queries.design import elements_of
from guildmark.app.records import BlueprintVersion, Comment, Organisation
from guildmark.design.blueprint import Blueprint


@dataclass(frozen=True, slots=True)
class Thread:
    """Comments of one partner on one element, oldest first; answered when the provider wrote last."""

    partner: Organisation
    element: str
    about: str
    kind: str
    comments: tuple[Comment, ...]
    provider_id: object

    @property
    def answered(self) -> bool:
        return self.comments[-1].organisation_id == self.provider_id


def threads(version: BlueprintVersion, blueprint: Blueprint, partner: Organisation | None = None) -> list[Thread]:
    """The threads on this version, of one partner or of all, those that wait for the provider first. One statement."""
    rows = Comment.objects.filter(blueprint_version=version).select_related("partner", "organisation", "by")
    if partner is not None:
        rows = rows.filter(partner=partner)
    found: dict[tuple[object, str], list[Comment]] = {}
    for row in rows.order_by("at", "id"):
        found.setdefault((row.partner_id, row.element), []).append(row)
    names = elements_of(blueprint)
    lines = [
        Thread(
            partner=comments[0].partner,
            element=element,
            about=names.get(element, ""),
            kind=kind_of(element) if element in names else _("an element that is gone"),
            comments=tuple(comments),
            provider_id=version.provider_id,
        )
        for (_partner, element), comments in found.items()
    ]
    return sorted(lines, key=lambda thread: thread.answered)


def kind_of(element: str) -> str:
    """What the element is, in a word."""
    match element.partition(":")[0]:
        case "task":
            return _("Task")
        case "outcome":
            return _("Outcome")
        case "assessment":
            return _("Assessment")
        case _kind:
            return _("The whole draft")


def waiting_comments(*, provider: Organisation | None = None, partner: Organisation | None = None) -> QuerySet[Comment]:
    """The last comment of each thread on a draft that the other side wrote: of a provider's drafts, or a partner's."""
    later = Comment.objects.filter(
        blueprint_version=OuterRef("blueprint_version"), partner=OuterRef("partner"), element=OuterRef("element")
    ).order_by("-at", "-id")
    rows = Comment.objects.filter(
        blueprint_version__state=BlueprintVersion.State.DRAFT, pk=Subquery(later.values("pk")[:1])
    )
    if provider is not None:
        return rows.filter(blueprint_version__provider=provider, organisation=F("partner"))
    return rows.filter(partner=partner).exclude(organisation=F("partner"))
