"""A person becomes a learner: what was awarded to their confirmed address is theirs, or they begin anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from guildmark.app.records import Learner, Person
from guildmark.app.services.people import add_learner, link_learner
from guildmark.app.services.verbs import verb
from guildmark.core.errors import NotAllowed


@verb
def become_learner(*, id: UUID, person: Person, emails: Sequence[str], now: datetime) -> Learner:
    """The person's learner: the one they have, else one under an address of `emails`, else a new one under the first.

    `emails` are addresses that the person has shown to be theirs. NotAllowed without any, and where the learner
    under the first of them is another account's.
    """
    own = Learner.objects.filter(person=person).first()
    if own is not None:
        return own
    if not emails:
        raise NotAllowed("Confirm an e-mail address of your account first: what you earn is made out to it.")
    for email in emails:
        linked = link_learner(person=person, email=email, now=now)
        if linked is not None:
            return linked
    add_learner(id=id, name=str(person), email=emails[0], now=now)
    linked = link_learner(person=person, email=emails[0], now=now)
    if linked is None:
        raise NotAllowed(f"Credentials for {emails[0]} belong to another account: sign in with that one.")
    return linked
