"""Results that were reached outside this site: recorded as what they are, then decided as any others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from guildmark.app.records import AwardList, Decision, Enrolment, Person, TransferredResult
from guildmark.app.services.assess import record_result
from guildmark.app.services.verbs import fits, hold, verb
from guildmark.assess import decision as decision_room
from guildmark.assess.marking import Mark
from guildmark.assess.result_list import OUTSIDE
from guildmark.core.errors import BrokenInput, NotAllowed


@verb
def record_transferred_result(
    *,
    id: UUID,
    decision_id: UUID,
    enrolment: Enrolment,
    marks: Sequence[Mark],
    assessed_on: date,
    reference: str,
    award_list: AwardList,
    row: int,
    actor: Person,
    now: datetime,
) -> tuple[Decision, decision_room.Decision]:
    """The marks are on record with where they come from and who brought them, and what they say is decided.

    They are no `Mark`s of this site: nobody here gave them, and the decision page, the event and the credential's
    evidence say so. NotAllowed for an enrolment with work of its own here, and unless the decision is a pass, since a
    result that does not pass stays where it was reached.
    """
    enrolment = hold(enrolment)
    if enrolment.submissions.exists():
        raise NotAllowed("Work was handed in here for this enrolment; it is marked and decided here.")
    learner = enrolment.learner
    own = {learner.email, learner.name.casefold()}
    if not all(mark.marker_id.startswith(OUTSIDE) for mark in marks):
        raise BrokenInput("a mark names a marker of this site", where="marks", hint=f"begin the name with {OUTSIDE!r}")
    if any(mark.marker_id.removeprefix(OUTSIDE).casefold() in own for mark in marks):
        raise NotAllowed("A marker of these results is the learner; nobody marks their own work.")
    if assessed_on > now.date():
        raise BrokenInput(f"{assessed_on} lies in the future", where="assessed_on", hint="write the day of the result")
    fits(TransferredResult, reference=reference)
    TransferredResult.objects.create(
        id=id,
        enrolment=enrolment,
        award_list=award_list,
        row=row,
        source=award_list.source,
        reference=reference,
        assessed_on=assessed_on,
        marks=[mark.to_json() for mark in marks],
        recorded_by=actor,
        recorded_at=now,
    )
    made, value = record_result(id=decision_id, enrolment=enrolment, actor=actor, now=now)
    if not value.passed:
        troubles = [*value.report.failed(), *(f for f in value.report.unknown() if f.required)]
        raise NotAllowed(" ".join(f.says for f in troubles[:2]))
    return made, value
