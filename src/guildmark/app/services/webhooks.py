"""Webhooks: an organisation's own programs are told by HTTP of what happens, as Standard Webhooks says.

`announce` writes a delivery with the event it tells of; here endpoints are made and deliveries are sent, each until it
was accepted or the schedule is over. What is sent is signed, so that a receiver knows that it comes from here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db.models import F, Min, QuerySet
from django.utils.translation import gettext
from standardwebhooks import Webhook

from guildmark.adapters.fetch import check_address
from guildmark.adapters.sealed import open_secret, seal_secret
from guildmark.app.records import Membership, Organisation, Person, WebhookDelivery, WebhookEndpoint
from guildmark.app.services.announce import KINDS, TEST, place_delivery
from guildmark.app.services.events import note_event
from guildmark.app.services.follow_ups import enqueue, enqueue_once_at
from guildmark.app.services.mail import in_language_of, post
from guildmark.app.services.verbs import fits, hold, verb
from guildmark.core.doors import Answer, Poster
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure

State = WebhookDelivery.State

MOST_ENDPOINTS = 20
"""Endpoints of one organisation: each event is sent to every one that wants it."""

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""After the first, second ... failed attempt: the schedule of Standard Webhooks; three days and three hours in all."""

JITTER = 0.1
"""A wait is longer by up to this share of itself, so that a receiver that was down is not met by everybody at once."""

BOTH_SIGN = timedelta(hours=24)
"""How long the secret before a rotation signs too."""

KEPT = timedelta(days=30)
"""How long a delivery is kept, and can be sent again."""

_CLAIMED = timedelta(minutes=2)
"""Nobody else sends a delivery that a worker has taken, for longer than an attempt can last."""

_ONE_RUN = timedelta(seconds=30)
"""How long a worker is taken by one run, and a last attempt; mail and other work come between two runs."""

_SECRET_BYTES = 32


# --- Endpoints ---


@verb
def add_endpoint(
    *,
    id: UUID,
    organisation: Organisation,
    url: str,
    kinds: Iterable[str],
    entropy: bytes,
    actor: Person,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """Events of these kinds are sent to `url` from now on; (endpoint, secret).

    The secret is returned once and kept only encrypted. `entropy` is 64 secret random bytes or more.
    """
    wanted = _wanted(kinds)
    fits(WebhookEndpoint, url=url)
    try:
        check_address(url, inside=settings.WEBHOOKS_INSIDE)
    except OutsideFailure as problem:
        raise BrokenInput(str(problem), where="url", hint="write an https address that the internet reaches") from None
    hold(organisation)
    if WebhookEndpoint.objects.filter(organisation=organisation).count() >= MOST_ENDPOINTS:
        raise NotAllowed(f"{organisation} has {MOST_ENDPOINTS} webhook endpoints already: remove one first.")
    secret, sealed = _new_secret(id, entropy)
    endpoint = WebhookEndpoint.objects.create(
        id=id, organisation=organisation, url=url, kinds=wanted, sealed=sealed, created_by=actor, created_at=now
    )
    _note("add_webhook", endpoint, actor, now, url=url, kinds=wanted)
    return endpoint, secret


@verb
def rotate_secret(
    *, endpoint: WebhookEndpoint, entropy: bytes, actor: Person, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """The endpoint has a new secret, returned once; the one before signs too for a day, and any older one no longer."""
    endpoint = hold(endpoint)
    secret, sealed = _new_secret(endpoint.pk, entropy)
    endpoint.sealed_before, endpoint.before_until = endpoint.sealed, now + BOTH_SIGN
    endpoint.sealed = sealed
    endpoint.save(update_fields=["sealed", "sealed_before", "before_until"])
    _note("rotate_webhook_secret", endpoint, actor, now)
    return endpoint, secret


@verb
def remove_endpoint(*, endpoint: WebhookEndpoint, actor: Person, now: datetime) -> None:
    """Nothing is sent there any more, and what was sent is forgotten with it; removing it twice changes nothing."""
    removed, _ = WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()
    if removed:
        _note("remove_webhook", endpoint, actor, now, url=endpoint.url)


@verb
def switch_on(*, endpoint: WebhookEndpoint, actor: Person, now: datetime) -> int:
    """The endpoint is sent to again, beginning with what was held meanwhile; how many deliveries that is."""
    endpoint = hold(endpoint)
    if endpoint.disabled_at is None:
        return 0
    endpoint.disabled_at, endpoint.disabled_because = None, ""
    endpoint.save(update_fields=["disabled_at", "disabled_because"])
    _note("switch_on_webhook", endpoint, actor, now)
    return _send_again(endpoint.deliveries.filter(state=State.HELD), now=now)


@verb
def switch_off(*, endpoint: WebhookEndpoint, because: str, actor: Person | None, now: datetime) -> None:
    """Nothing is sent to the endpoint until somebody switches it on; what happens meanwhile is held for it."""
    endpoint = hold(endpoint)
    if endpoint.disabled_at is not None:
        return
    endpoint.disabled_at, endpoint.disabled_because = now, because[:300]
    endpoint.save(update_fields=["disabled_at", "disabled_because"])
    endpoint.deliveries.filter(state=State.WAITING).update(state=State.HELD, next_attempt_at=None)
    _note("switch_off_webhook", endpoint, actor, now, because=because[:300])


# --- Sending once more ---


@verb
def send_test(*, id: UUID, endpoint: WebhookEndpoint, actor: Person, now: datetime) -> WebhookDelivery:
    """A message that means nothing is on its way, to see whether it arrives; NotAllowed while it is switched off."""
    endpoint = hold(endpoint)
    _require_on(endpoint)
    delivery = place_delivery(id=id, endpoint=endpoint, kind=TEST, data={"endpoint": str(endpoint.pk)}, now=now)
    enqueue("deliver_webhooks")
    _note("test_webhook", endpoint, actor, now, delivery=str(id))
    return delivery


@verb
def replay(*, delivery: WebhookDelivery, actor: Person, now: datetime) -> WebhookDelivery:
    """The same message is sent again under the same `webhook-id`, from the beginning of the schedule."""
    endpoint = hold(delivery.endpoint)
    _require_on(endpoint)
    _send_again(endpoint.deliveries.filter(pk=delivery.pk), now=now)
    _note("replay_webhook", endpoint, actor, now, delivery=str(delivery.pk))
    delivery.refresh_from_db()
    return delivery


@verb
def replay_since(*, endpoint: WebhookEndpoint, since: datetime, actor: Person, now: datetime) -> int:
    """Everything of the endpoint since that moment that is still kept is sent again; how many deliveries that is."""
    endpoint = hold(endpoint)
    _require_on(endpoint)
    count = _send_again(endpoint.deliveries.filter(created_at__gte=since), now=now)
    _note("replay_webhooks", endpoint, actor, now, since=since.isoformat(), deliveries=count)
    return count


def _send_again(deliveries: QuerySet[WebhookDelivery], *, now: datetime) -> int:
    count = deliveries.update(state=State.WAITING, attempts=0, next_attempt_at=now, delivered_at=None)
    if count:
        enqueue("deliver_webhooks")
    return count


def _require_on(endpoint: WebhookEndpoint) -> None:
    if endpoint.disabled_at is not None:
        raise NotAllowed(f"{endpoint} is switched off, so nothing is sent there: switch it on first.")


# --- Delivering ---


def deliver_due(
    *, poster: Poster, clock: Callable[[], datetime], jitter: Callable[[], float], most: int = 50
) -> tuple[int, int]:
    """(accepted, not accepted) after trying every delivery that is due, at most `most`; the rest is ordered for later.

    A delivery is claimed by moving its moment forward where nobody else has (compare-and-swap), so two workers do not
    send it at once. A worker that is killed between the answer and the next line leaves its delivery to be sent once
    more, under the same `webhook-id`: twice is better than never. `jitter` draws from 0 to 1.
    """
    accepted = refused = 0
    now = clock()
    silent: set[UUID] = set()
    due = _waiting().filter(next_attempt_at__lte=now).select_related("endpoint")
    for delivery in due.order_by("next_attempt_at", "created_at", "id")[:most]:
        if clock() - now > _ONE_RUN:
            break
        if delivery.endpoint_id in silent or not _claim(delivery, clock()):
            continue
        answer, says = _attempt(delivery, poster, clock())
        if answer is not None and 200 <= answer.status < 300:
            accepted += 1
            _accept(delivery, answer, says, now=clock())
            continue
        refused += 1
        if answer is None:
            silent.add(delivery.endpoint_id)  # it may take ten seconds each time, and others wait for this worker
        _refuse(delivery, answer, says, now=clock(), jitter=jitter())
    forget_old(now=clock())
    order_next(now=clock())
    return accepted, refused


def order_next(*, now: datetime) -> None:
    """A task is there for the next delivery that is due, or for the day when the oldest one is to be forgotten."""
    waiting = _waiting().aggregate(moment=Min("next_attempt_at"))["moment"]
    oldest = WebhookDelivery.objects.aggregate(moment=Min("created_at"))["moment"]
    moments = [waiting] if waiting else []
    if oldest:
        moments.append(oldest + KEPT)
    if moments:
        enqueue_once_at("deliver_webhooks", max(min(moments), now))


def _waiting() -> QuerySet[WebhookDelivery]:
    """What is to be sent; an event that came as its endpoint was switched off waits until it is on again."""
    return WebhookDelivery.objects.filter(state=State.WAITING, endpoint__disabled_at=None)


@verb
def forget_old(*, now: datetime) -> int:
    """Deliveries older than KEPT are gone, and secrets that no longer sign; how many deliveries that were."""
    WebhookEndpoint.objects.filter(before_until__lte=now).update(sealed_before=None, before_until=None)
    old = WebhookDelivery.objects.filter(created_at__lte=now - KEPT)
    return old.delete()[0] if old.exists() else 0


def signatures(endpoint: WebhookEndpoint, *, id: UUID, payload: bytes, now: datetime) -> str:
    """The value of `webhook-signature`: one for the secret, and one for the secret before it while that still signs."""
    sealed = [endpoint.sealed]
    if endpoint.sealed_before is not None and endpoint.before_until is not None and now < endpoint.before_until:
        sealed.append(endpoint.sealed_before)
    moment, text = now.astimezone(UTC), payload.decode()
    return " ".join(Webhook(_opened(endpoint.pk, one)).sign(str(id), moment, text) for one in sealed)


@verb
def _claim(delivery: WebhookDelivery, now: datetime) -> bool:
    """Whether the delivery is ours to send; if so, nobody else tries while we do."""
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=State.WAITING, attempts=delivery.attempts, next_attempt_at=delivery.next_attempt_at
    )
    claimed = mine.update(attempts=F("attempts") + 1, next_attempt_at=now + _CLAIMED, last_attempt_at=now)
    delivery.attempts += claimed
    return bool(claimed)


def _attempt(delivery: WebhookDelivery, poster: Poster, now: datetime) -> tuple[Answer | None, str]:
    """(the answer or None, what to show of it)."""
    endpoint = delivery.endpoint
    try:
        headers = {
            "Content-Type": "application/json",
            "webhook-id": str(delivery.pk),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signatures(endpoint, id=delivery.pk, payload=delivery.payload, now=now),
        }
        answer = poster.post(endpoint.url, delivery.payload, headers)
    except (OutsideFailure, BrokenInput) as problem:
        return None, str(problem)
    if 300 <= answer.status < 400:
        return answer, "It answered with a redirect, and none is followed: write the final address."
    # A database takes no NUL, a page no control character; what a stranger answers may hold both.
    text = answer.body.decode("utf-8", "replace")
    return answer, "".join(letter if letter.isprintable() else " " for letter in text)


@verb
def _accept(delivery: WebhookDelivery, answer: Answer, says: str, *, now: datetime) -> None:
    _record(delivery, answer, says, state=State.DELIVERED, next_attempt_at=None, delivered_at=now)


@verb
def _refuse(delivery: WebhookDelivery, answer: Answer | None, says: str, *, now: datetime, jitter: float) -> None:
    """It is tried again after the next wait; or the endpoint said that it is gone, or the schedule is over."""
    endpoint = delivery.endpoint
    gone = answer is not None and answer.status == 410
    if not gone and delivery.attempts <= len(WAITS):
        again = now + WAITS[delivery.attempts - 1] * (1 + JITTER * jitter)
        _record(delivery, answer, says, next_attempt_at=again)
        if answer is None:  # nobody is there: one message asks again, the others wait with it
            endpoint.deliveries.filter(state=State.WAITING, next_attempt_at__lt=again).update(next_attempt_at=again)
        return
    _record(delivery, answer, says, state=State.FAILED, next_attempt_at=None)
    if gone:
        _give_up(endpoint, "it answered 410, which says that nobody listens there any more", now=now)
    elif not endpoint.deliveries.filter(delivered_at__gt=delivery.created_at).exists():
        _give_up(endpoint, f"a message was not accepted in {delivery.attempts} attempts, and no other was", now=now)


def _record(delivery: WebhookDelivery, answer: Answer | None, says: str, **facts: object) -> None:
    """What came of an attempt, unless the delivery was held, replayed or removed meanwhile."""
    mine = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.WAITING, attempts=delivery.attempts)
    mine.update(last_status=answer.status if answer is not None else None, last_answer=says[:300], **facts)


def _give_up(endpoint: WebhookEndpoint, why: str, *, now: datetime) -> None:
    """The endpoint is switched off, and the organisation's administrators are told."""
    endpoint = hold(endpoint)
    if endpoint.disabled_at is not None:
        return
    switch_off(endpoint=endpoint, because=f"{why[0].upper()}{why[1:]}.", actor=None, now=now)
    organisation = endpoint.organisation
    admins = organisation.memberships.filter(role=Membership.Role.ADMIN, person__is_active=True)
    for membership in admins.select_related("person"):
        words = {
            "name": organisation.name,
            "url": endpoint.url,
            "why": why,
            "link": f"{settings.BASE_URL}/o/{organisation.slug}/connections",
        }
        with in_language_of(membership.person.email):
            subject = gettext("%(name)s: a webhook endpoint was switched off") % words
            body = (
                gettext(
                    "Nothing is sent to %(url)s any more: %(why)s.\n\n"
                    "What happens meanwhile is held for 30 days. Mend the receiver and switch the endpoint on again:\n"
                    "%(link)s\n"
                )
                % words
            )
        post(to=membership.person.email, subject=subject, body=body, now=now)


# --- Secrets ---


def _new_secret(id: UUID, entropy: bytes) -> tuple[str, bytes]:
    """(the secret as it is shown, the secret as it is kept)."""
    if len(entropy) < 2 * _SECRET_BYTES:
        raise ValueError(f"a secret needs {2 * _SECRET_BYTES} bytes of entropy, not {len(entropy)}")
    secret, rest = entropy[:_SECRET_BYTES], entropy[_SECRET_BYTES:]
    sealed = seal_secret(secret, name=_name(id), entropy=rest, passphrase=settings.KEY_PASSPHRASE)
    return f"whsec_{base64.b64encode(secret).decode()}", sealed


@lru_cache(maxsize=256)
def _opened(id: UUID, sealed: bytes) -> bytes:
    """Opening takes a tenth of a second by design (scrypt), so an opened secret stays in this process's memory."""
    return open_secret(sealed, name=_name(id), passphrase=settings.KEY_PASSPHRASE)


def _name(id: UUID) -> str:
    return f"webhook:{id}"


def _wanted(kinds: Iterable[str]) -> list[str]:
    asked = set(kinds)
    if unknown := sorted(asked - set(KINDS)):
        raise BrokenInput(f"{unknown[0]!r} is no kind of event", where="kinds", hint=f"choose from {', '.join(KINDS)}")
    if not asked:
        raise BrokenInput("no kind of event is chosen", where="kinds", hint="choose one or more")
    return [kind for kind in KINDS if kind in asked]


def _note(done: str, endpoint: WebhookEndpoint, actor: Person | None, now: datetime, **facts: object) -> None:
    note_event(
        verb=done,
        subject=endpoint.organisation.slug,
        organisation=endpoint.organisation,
        actor=actor,
        now=now,
        webhook=str(endpoint.pk),
        **facts,
    )
