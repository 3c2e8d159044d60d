"""What came of it: a consented outcome attaches to the version of the blueprint that was awarded."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from guildmark.app.records import Award, Consent, Destination, Organisation, Person
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import verb
from guildmark.core.errors import BrokenInput, NotAllowed
from guildmark.pathways.feedback import KINDS


@verb
def record_destination(
    *,
    id: UUID,
    award: Award,
    kind: str,
    rating: int | None,
    employer: Organisation | None,
    actor: Person,
    now: datetime,
) -> Destination:
    """The outcome is on record for the awarded blueprint version; NotAllowed without the learner's live consent."""
    if kind not in KINDS:
        raise BrokenInput(f"outcome {kind!r} is not known", hint=f"one of {', '.join(KINDS)}")
    if rating is not None and not 1 <= rating <= 5:
        raise BrokenInput(f"rating {rating} is not between 1 and 5", hint="leave it out if there is none")
    if award.decision is None:
        raise BrokenInput("a stacked credential has no blueprint of its own", hint="record it for a component")
    consent = Consent.objects.filter(learner=award.learner, purpose=Consent.Purpose.OUTCOMES, withdrawn_at=None).first()
    if consent is None:
        raise NotAllowed("The learner has not agreed that outcomes are recorded; ask for consent first.")
    version = award.decision.enrolment.offering.blueprint_version
    row = Destination.objects.create(
        id=id,
        award=award,
        consent=consent,
        employer=employer,
        blueprint_id=version.blueprint_id,
        blueprint_version=version.version,
        kind=kind,
        rating=rating,
        source="employer" if employer is not None else "provider",
        at=now,
    )
    note_event(verb="record_destination", subject=str(version), actor=actor, now=now, kind=kind)
    return row
