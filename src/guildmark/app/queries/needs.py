"""Reads of what partners need: their own needs, and those that a provider could answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from guildmark.app.records import BlueprintVersion, Endorsement, Need, NeedAnswer, Organisation

FIELDS: Mapping[str, Any] = {
    "00": _("Generic programmes and qualifications"),
    "01": _("Education"),
    "02": _("Arts and humanities"),
    "03": _("Social sciences, journalism and information"),
    "04": _("Business, administration and law"),
    "05": _("Natural sciences, mathematics and statistics"),
    "06": _("Information and communication technologies"),
    "07": _("Engineering, manufacturing and construction"),
    "08": _("Agriculture, forestry, fisheries and veterinary"),
    "09": _("Health and welfare"),
    "10": _("Services"),
}
"""Broad fields of ISCED-F 2013 (UNESCO Institute for Statistics): the first two digits of a blueprint's field."""


def broad_field(document: Mapping[str, Any]) -> str:
    """The broad field of a blueprint's document, "" where it names none of ISCED-F."""
    field = document.get("field") or {}
    code = field.get("code", "")[:2] if field.get("scheme") == "ISCED-F" else ""
    return code if code in FIELDS else ""


def needs_of(partner: Organisation) -> QuerySet[Need]:
    """The partner's needs, the latest first, with how many drafts answer each, `drafts`."""
    return (
        Need.objects.filter(partner=partner)
        .select_related("opened_by")
        .annotate(drafts=Count("answers"))
        .order_by("-opened_at", "id")
    )


def answers_of(need: Need) -> QuerySet[NeedAnswer]:
    """The drafts that answer the need, oldest first."""
    rows = NeedAnswer.objects.filter(need=need).select_related("blueprint_version__provider", "by")
    return rows.order_by("at", "id")


def answers_to_read(partner: Organisation) -> QuerySet[NeedAnswer]:
    """Drafts that answer an open need of the partner and that it has neither signed nor said anything about."""
    draft = OuterRef("blueprint_version")
    return (
        NeedAnswer.objects.filter(need__partner=partner, blueprint_version__state=BlueprintVersion.State.DRAFT)
        .exclude(need__state=Need.State.CLOSED)
        .exclude(Exists(Endorsement.objects.filter(blueprint_version=draft, partner=partner)))
        .exclude(blueprint_version__comments__partner=partner)
        .exclude(blueprint_version__co_designs__in=_declined(partner))
    )


def _declined(partner: Organisation) -> QuerySet:
    return partner.co_designs.filter(declined_at__isnull=False)


def fields_of(provider: Organisation) -> set[str]:
    """The broad fields in which the provider has designed anything. One statement."""
    codes = (
        BlueprintVersion.objects.filter(provider=provider, document__field__scheme="ISCED-F")
        .order_by()
        .values_list("document__field__code", flat=True)
        .distinct()
    )
    return {code[:2] for code in codes if isinstance(code, str)}


def needs_for(provider: Organisation, *, unanswered: bool = False, every_field: bool = False) -> QuerySet[Need]:
    """Needs that are not closed: in the provider's fields, or in all; all as well for a provider that has none yet.

    `answers_here` are the provider's own drafts that answer one. `unanswered` leaves out those that it has answered.
    """
    mine = NeedAnswer.objects.filter(blueprint_version__provider=provider).select_related("blueprint_version")
    rows = Need.objects.exclude(state=Need.State.CLOSED).select_related("partner")
    fields = set() if every_field else fields_of(provider)
    if fields:
        rows = rows.filter(Q(field="") | Q(field__in=fields))
    if unanswered:
        rows = rows.exclude(Exists(mine.filter(need=OuterRef("pk"))))
    return rows.prefetch_related(Prefetch("answers", mine, to_attr="answers_here")).order_by(
        "by_when", "opened_at", "id"
    )


def drafts_for(provider: Organisation, need: Need) -> QuerySet[BlueprintVersion]:
    """The provider's drafts with which it could answer the need."""
    answered = NeedAnswer.objects.filter(need=need, blueprint_version=OuterRef("pk"))
    rows = BlueprintVersion.objects.filter(provider=provider, state=BlueprintVersion.State.DRAFT)
    return rows.exclude(Exists(answered)).order_by("title", "version", "id")
