"""What a learner shares: links to one credential that end, and a page of chosen credentials for everybody."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from guildmark.app.records import Award, Learner, Person, PublicPage, ShareLink
from guildmark.app.services.events import note_event
from guildmark.app.services.verbs import hold, verb
from guildmark.core.errors import BrokenInput, NotAllowed

MOST_DAYS = 365
"""A link that is forgotten ends within a year."""

MOST_SHOWN = 20
"""Credentials on a public page or behind one link; each is verified whenever somebody looks."""

MOST_LINKS = 20
"""Open links of one credential."""


@verb
def share_award(
    *,
    id: UUID,
    award: Award,
    days: int,
    entropy: bytes,
    actor: Person,
    now: datetime,
    more: Sequence[Award] = (),
) -> tuple[ShareLink, str]:
    """Whoever has the link sees this credential, name and results included, for so many days; (link, token).

    `more` are other credentials of the same learner that the link shows beside it. The token is returned once and
    kept only as a hash.
    """
    if any(other.learner_id != award.learner_id for other in more):
        raise NotAllowed("Only credentials of one's own can be shared.")
    if len(more) >= MOST_SHOWN:
        raise BrokenInput(f"more than {MOST_SHOWN} are chosen", where="link", hint="choose fewer credentials")
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
    link.more.set(more)
    note_event(verb="share_award", subject=award.credential_id, actor=actor, now=now, link=str(id), days=days)
    return link, token


@verb
def end_share(*, link: ShareLink, actor: Person, now: datetime) -> None:
    """The link shows nothing any more; ending it twice changes nothing."""
    if ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        note_event(verb="end_share", subject=link.award.credential_id, actor=actor, now=now, link=str(link.pk))


_ADDRESS = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])")


@verb
def open_public_page(
    *, learner: Learner, address: str, awards: Sequence[Award], entropy: bytes, actor: Person, now: datetime
) -> PublicPage:
    """Anybody sees exactly these credentials of the learner, with name and results, until the page is closed.

    `address` is the last part of its web address, chosen by the learner; "" keeps the one it has, or makes one that
    cannot be guessed. NotAllowed for an address that somebody else has and for credentials of others; BrokenInput for
    one that is no address.
    """
    learner = hold(learner)
    page = PublicPage.objects.filter(learner=learner).first()
    address = address.strip().lower() or (page.address if page is not None else entropy.hex())
    if not _ADDRESS.fullmatch(address):
        raise BrokenInput(
            "is not one that can be used", where="address", hint="use 3 to 40 letters from a to z, digits and hyphens"
        )
    if PublicPage.objects.filter(address=address).exclude(learner=learner).exists():
        raise NotAllowed("Somebody has this address already: choose another.")
    if not awards:
        raise BrokenInput("nothing is chosen", where="public page", hint="choose at least one credential")
    if len(awards) > MOST_SHOWN:
        raise BrokenInput(f"more than {MOST_SHOWN} are chosen", where="public page", hint="choose fewer credentials")
    if any(award.learner_id != learner.pk for award in awards):
        raise NotAllowed("Only credentials of one's own can be shown.")
    page, _made = PublicPage.objects.update_or_create(learner=learner, defaults={"address": address, "opened_at": now})
    page.awards.set(awards)
    note_event(verb="open_public_page", subject=str(learner.pk), actor=actor, now=now, credentials=len(awards))
    return page


@verb
def close_public_page(*, learner: Learner, actor: Person, now: datetime) -> None:
    """The page shows nothing any more, and its address is kept for the learner; closing it twice changes nothing."""
    if PublicPage.objects.filter(learner=learner, opened_at__isnull=False).update(opened_at=None):
        note_event(verb="close_public_page", subject=str(learner.pk), actor=actor, now=now)
