"""Numbers under which public registers know an organisation: claimed by it, looked up by a register or a person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from guildmark.adapters.registers import SCHEMES, read_number
from guildmark.app.records import Membership, Organisation, Person, RegisterNumber
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import hold, verb
from guildmark.core.doors import NumberRegister
from guildmark.core.errors import BrokenInput, NotAllowed


@verb
def claim_number(
    *, id: UUID, organisation: Organisation, scheme: str, number: str, actor: Person, now: datetime
) -> RegisterNumber:
    """The organisation says that this number is its own; whatever was found under an earlier one is void."""
    number = read_number(scheme, number)
    organisation = hold(organisation)
    RegisterNumber.objects.filter(organisation=organisation, scheme=scheme).delete()
    row = RegisterNumber.objects.create(
        id=id, organisation=organisation, scheme=scheme, number=number, claimed_by=actor, claimed_at=now
    )
    note_event(
        verb="claim_number",
        subject=organisation.slug,
        actor=actor,
        now=now,
        organisation=organisation,
        scheme=scheme,
        number=number,
    )
    return row


def ask_register(
    *, row: RegisterNumber, register: NumberRegister | None, actor: Person, now: datetime
) -> RegisterNumber:
    """What the register says under the number is on record; the register is asked before any row is held.

    It is found only if the entry is in force and bears the organisation's name: any other answer is on record too, and
    a named person has to look. OutsideFailure if the register cannot be asked, and NotAllowed where none can be.
    """
    if register is None:
        raise NotAllowed(f"No program can ask {SCHEMES[row.scheme].title}: a named person has to look it up.")
    listed = register.look_up(row.number)
    if listed is None:
        state, saw = RegisterNumber.State.NOT_FOUND, f"{register.name} lists no organisation under {row.number}."
    else:
        saw = f"{listed.url}: {listed.name}{f' ({listed.country})' if listed.country else ''}"
        same = listed.name.strip().casefold() == row.organisation.name.strip().casefold()
        if same and listed.active:
            state = RegisterNumber.State.FOUND
        else:
            state = RegisterNumber.State.CLAIMED
            saw += ", another name than here." if not same else ", no longer in force."
    return _looked(row, state=state, by=register.name, saw=saw, actor=actor, now=now)


@verb
def look_up_by_person(
    *, row: RegisterNumber, found: bool, by: str, saw: str, actor: Person | None, now: datetime
) -> RegisterNumber:
    """A named person has looked in the register, and says what they saw there and whether it is this organisation.

    NotAllowed for somebody who acts for the organisation: nobody vouches for themselves.
    """
    if not by.strip() or not saw.strip():
        raise BrokenInput("say who looked, and what they saw", where="saw", hint="name the page and what it says")
    if actor is not None and Membership.objects.filter(person=actor, organisation=row.organisation).exists():
        raise NotAllowed(f"{actor} acts for {row.organisation}: somebody else has to look.")
    state = RegisterNumber.State.FOUND if found else RegisterNumber.State.NOT_FOUND
    return _looked(row, state=state, by=by.strip()[:200], saw=saw.strip(), actor=actor, now=now)


@verb
def _looked(
    row: RegisterNumber, *, state: str, by: str, saw: str, actor: Person | None, now: datetime
) -> RegisterNumber:
    found = RegisterNumber.objects.select_for_update().filter(pk=row.pk).first()
    if found is None:
        raise NotAllowed("The organisation has given another number meanwhile; reload the page.")
    found.state, found.looked_by, found.looked_at, found.saw = state, by, now, saw
    found.save(update_fields=["state", "looked_by", "looked_at", "saw"])
    note_event(
        verb="look_up_number",
        subject=found.organisation.slug,
        actor=actor,
        now=now,
        organisation=found.organisation,
        scheme=found.scheme,
        number=found.number,
        state=str(state),
        by=by,
    )
    return found
