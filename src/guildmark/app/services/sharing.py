"""What a learner shares: links to one credential that end."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from guildmark.app.records import Award, Person, ShareLink
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import verb
from guildmark.core.errors import BrokenInput, NotAllowed

MOST_DAYS = 365
"""A link that is forgotten ends within a year."""

MOST_LINKS = 20
"""Open links of one credential."""


@verb
def share_award(
    *, id: UUID, award: Award, days: int, entropy: bytes, actor: Person, now: datetime
) -> tuple[ShareLink, str]:
    """Whoever has the link sees this credential, name and results included, for so many days; (link, token).

    The token is returned once and kept only as a hash.
    """
    if not 1 <= days <= MOST_DAYS:
        raise BrokenInput(f"{days} days is not a time for a link", hint=f"choose 1 to {MOST_DAYS} days")
    Award.objects.select_for_update().get(pk=award.pk)
    if award.share_links.filter(revoked_at=None, expires_at__gt=now).count() >= MOST_LINKS:
        raise NotAllowed(f"{award.title} is shared by {MOST_LINKS} links already: end one of them first.")
    token = entropy.hex()
    link = ShareLink.objects.create(
        id=id,
        award=award,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    note_event(verb="share_award", subject=award.credential_id, actor=actor, now=now, link=str(id), days=days)
    return link, token


@verb
def end_share(*, link: ShareLink, actor: Person, now: datetime) -> None:
    """The link shows nothing any more; ending it twice changes nothing."""
    if ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        note_event(verb="end_share", subject=link.award.credential_id, actor=actor, now=now, link=str(link.pk))
