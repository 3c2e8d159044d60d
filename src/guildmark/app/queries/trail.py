"""Reads of the audit trail: what was done for an organisation, or concerned it, the latest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from guildmark.app.records import Event, Organisation

KINDS: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "design": (
        _("Design"),
        {
            "draft_blueprint": _("drafted"),
            "revise_draft": _("changed the draft"),
            "submit_for_review": _("ran the quality gate"),
            "judge": _("judged a rule"),
            "publish_blueprint": _("published"),
            "add_stack_rule": _("added a rule for a larger credential"),
        },
    ),
    "partners": (
        _("Partners"),
        {
            "ask_partner": _("asked a partner to sign"),
            "endorse": _("signed the map"),
            "decline_to_sign": _("declined to sign"),
            "withdraw_endorsement": _("withdrew a signature"),
            "comment": _("commented on a draft"),
            "open_need": _("opened a need"),
            "answer_need": _("answered a need"),
            "close_need": _("closed a need"),
        },
    ),
    "assessment": (
        _("Delivery and assessment"),
        {
            "open_offering": _("opened an offering"),
            "enrol": _("a learner enrolled"),
            "submit_work": _("a learner handed in work"),
            "record_mark": _("marked work"),
            "record_result": _("decided"),
        },
    ),
    "awards": (
        _("Awards"),
        {
            "award_credential": _("awarded"),
            "claim_award": _("a learner took a credential"),
            "resend_claim": _("sent a fresh link"),
            "change_status": _("changed the status"),
            "award_by_program": _("a program awarded"),
            "change_status_by_program": _("a program changed the status"),
            "correct_award": _("corrected an award"),
            "reissue_award": _("issued an award anew"),
            "renew_award": _("renewed an award"),
            "claim_stack": _("looked at a larger credential"),
            "recheck_stack": _("looked again at a larger credential"),
        },
    ),
    "hiring": (
        _("Hiring"),
        {
            "rank_candidates": _("ranked people for a job"),
            "decide_match": _("decided about a candidate"),
            "record_destination": _("recorded an outcome"),
        },
    ),
    "organisation": (
        _("Organisation, people and keys"),
        {
            "register_organisation": _("registered the organisation"),
            "check_organisation": _("checked the organisation"),
            "claim_number": _("gave a register number"),
            "look_up_number": _("looked up a register number"),
            "create_key": _("made a signing key"),
            "retire_key": _("retired a signing key"),
            "invite": _("invited somebody"),
            "accept_invitation": _("accepted an invitation"),
            "end_membership": _("ended a role"),
            "make_api_key": _("made a key for a program"),
            "revoke_api_key": _("revoked a key of a program"),
            "make_api_client": _("made an OAuth client"),
            "revoke_api_client": _("revoked an OAuth client"),
        },
    ),
}
"""Kind -> its title, and its verbs in words. A verb that is in none of them is shown as it is called."""

OTHER = "other"
_WORDS = {verb: says for _title, verbs in KINDS.values() for verb, says in verbs.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """One event as the page shows it: who did what, for whom, and the facts that were kept with it."""

    event: Event
    says: Any
    facts: tuple[tuple[str, str], ...]


def trail_of(organisation: Organisation, *, kind: str = "") -> QuerySet[Event]:
    """The events in this organisation's trail, the latest first: all, or those of one kind (`OTHER`: of no kind)."""
    rows = Event.objects.filter(Q(organisation=organisation) | Q(other=organisation))
    if kind in KINDS:
        rows = rows.filter(verb__in=KINDS[kind][1])
    elif kind == OTHER:
        rows = rows.exclude(verb__in=_WORDS)
    return rows.select_related("actor", "organisation").order_by("-id")


def steps(events: Sequence[Event]) -> list[Step]:
    """The events in words. No statement."""
    return [Step(event, _WORDS.get(event.verb, event.verb.replace("_", " ")), tuple(_facts(event))) for event in events]


def _facts(event: Event) -> Iterator[tuple[str, str]]:
    for name, value in event.facts.items():
        if value in ("", None, []):
            continue
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        yield name.replace("_", " "), text if len(text) <= 200 else f"{text[:199]}…"
