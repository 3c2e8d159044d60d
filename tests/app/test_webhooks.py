"""Webhooks: written down with what they tell of, signed, sent until they are accepted, and never to the inside."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from guildmark.adapters.fetch import GuardedPoster
from guildmark.app.doors import webhook_poster
from guildmark.app.records import Event, OutboxMessage, WebhookDelivery, WebhookEndpoint
from guildmark.app.services import awards, design, webhooks
from guildmark.app.services.announce import KINDS
from guildmark.core.doors import Answer
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure
from tests.app import cast as acts
from tests.app.receiver import listening

NOW = acts.NOW


class Clock:
    """A moment that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class FakePoster:
    """Answers in turn, the last one again and again; an answer of None is silence. Keeps what was sent."""

    def __init__(self, *statuses: int | None, body: bytes = b"") -> None:
        self.statuses, self.body, self.sent = list(statuses), body, []

    def post(self, url, body, headers):
        self.sent.append((url, body, dict(headers)))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            raise OutsideFailure(f"{url} did not answer within 10 seconds")
        return Answer(status, self.body)

    @property
    def ids(self):
        return [headers["webhook-id"] for _, _, headers in self.sent]


def add(cast, *, url="https://hooks.example.org/guildmark", kinds=tuple(KINDS), organisation=None):
    return webhooks.add_endpoint(
        id=uuid4(),
        organisation=organisation or cast.harbour,
        url=url,
        kinds=kinds,
        entropy=secrets.token_bytes(64),
        actor=cast.quinn,
        now=NOW,
    )


def message(cast, endpoint, now=NOW):
    return webhooks.send_test(id=uuid4(), endpoint=endpoint, actor=cast.quinn, now=now)


def deliver(poster, now=NOW, jitter=0.0, **limits):
    return webhooks.deliver_due(
        poster=poster, clock=now if callable(now) else Clock(now), jitter=lambda: jitter, **limits
    )


def kinds_sent():
    return list(WebhookDelivery.objects.order_by("created_at", "id").values_list("kind", flat=True))


# --- Endpoints and their secrets ---


def test_the_secret_is_shown_once_and_lies_nowhere_in_clear(cast):
    endpoint, secret = add(cast)
    raw = secret.removeprefix("whsec_")
    row = WebhookEndpoint.objects.get()
    assert row == endpoint
    assert secret.startswith("whsec_")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            held = " ".join(str(bytes(v) if isinstance(v, memoryview) else v) for line in cursor for v in line)
            assert raw not in held
    assert b"scrypt" in row.sealed


def test_a_secret_that_was_moved_to_another_endpoint_does_not_open(cast):
    mine, _ = add(cast)
    other, _ = add(cast, url="https://other.example.org/")
    with pytest.raises(BrokenInput, match="does not open"):
        webhooks.signatures(WebhookEndpoint(id=mine.id, sealed=other.sealed), id=uuid4(), payload=b"{}", now=NOW)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.example.org/", "not an https address"),
        ("https://me:secret@hooks.example.org/", "user name"),
        ("https://", "not an address"),
        ("no address", "not an https address"),
        ("https://127.0.0.1/hook", "not on the public internet"),
        ("https://[::1]/hook", "not on the public internet"),
        ("https://169.254.169.254/latest", "not on the public internet"),
        ("https://localhost/hook", "not on the public internet"),
        ("https://hooks.example.org/" + "a" * 500, "characters"),
    ],
    ids=["http", "user", "empty", "words", "loopback", "loopback6", "metadata", "localhost", "long"],
)
def test_an_address_that_could_never_be_reached_is_refused_when_it_is_written(cast, url, says):
    with pytest.raises(BrokenInput, match=says):
        add(cast, url=url)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(("kinds", "says"), [((), "no kind"), (("award.made", "award.eaten"), "award.eaten")])
def test_kinds_of_event_are_those_that_there_are(cast, kinds, says):
    with pytest.raises(BrokenInput, match=says):
        add(cast, kinds=kinds)


def test_an_organisation_has_so_many_endpoints_and_no_more(cast, monkeypatch):
    monkeypatch.setattr(webhooks, "MOST_ENDPOINTS", 1)
    add(cast)
    with pytest.raises(NotAllowed, match="remove one first"):
        add(cast)


def test_removing_an_endpoint_takes_its_deliveries_along_and_is_on_record_once(cast):
    endpoint, _ = add(cast)
    message(cast, endpoint)
    for _ in range(2):
        webhooks.remove_endpoint(endpoint=endpoint, actor=cast.quinn, now=NOW)
    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()
    assert Event.objects.filter(verb="remove_webhook", actor=cast.quinn).count() == 1


# --- What is told ---


def test_the_whole_life_of_an_award_is_told_to_its_issuer_in_order(cast):
    add(cast)
    made = acts.awarded(cast)
    awards.claim_award(award=made.award, now=NOW)
    awards.claim_award(award=made.award, now=NOW)
    change = partial(awards.change_status, note="", entropy=secrets.token_bytes, actor=cast.ana, now=NOW)
    change(award=made.award, state="suspended", code="under_review")
    change(award=made.award, state="valid", code="review_closed")
    change(award=made.award, state="revoked", code="issued_in_error")
    told = set(kinds_sent())
    assert told == {
        "endorsement.signed", "blueprint.published", "decision.passed", "award.made", "award.claimed",
        "award.suspended", "award.reinstated", "award.revoked",
    }  # fmt: skip
    assert len(kinds_sent()) == len(told)


def test_a_larger_credential_is_told_of_when_it_is_awarded_and_not_when_it_is_asked_for_again(cast):
    acts.awarded(cast)
    add(cast, kinds=["award.made"])
    rule = acts.stack_rule(cast)
    claim = acts.claim_stack(cast, rule)
    acts.claim_stack(cast, rule)
    (delivery,) = WebhookDelivery.objects.all()
    data = json.loads(delivery.payload)["data"]
    assert (data["award"], data["kind"], data["blueprint"]) == (str(claim.award_id), "clr", None)


def test_a_decision_that_is_no_pass_is_told_as_such(cast):
    version = acts.publish(cast)
    add(cast, kinds=["decision.passed", "decision.not_passed"])
    acts.decide(cast, version, level="beginning")
    assert kinds_sent() == ["decision.not_passed"]


def test_a_signature_is_told_to_the_partner_that_gave_it_and_to_the_provider_that_has_it(cast):
    add(cast, kinds=["endorsement.withdrawn"])
    add(cast, kinds=["endorsement.withdrawn", "blueprint.published"], organisation=cast.northwind)
    version = acts.draft(cast)
    endorsement = acts.endorse(cast, version)
    design.withdraw_endorsement(endorsement=endorsement, reason="The work changed.", actor=cast.omar, now=NOW)
    rows = {d.endpoint.organisation.slug: json.loads(d.payload) for d in WebhookDelivery.objects.all()}
    assert {body["type"] for body in rows.values()} == {"endorsement.withdrawn"}
    assert rows["northwind-logistics"]["data"]["url"].endswith(f"/o/northwind-logistics/maps/{version.id}")
    assert rows["harbour-university"]["data"]["url"].endswith(f"/o/harbour-university/blueprints/{version.id}")


def test_an_endpoint_gets_the_kinds_it_asked_for_and_another_organisation_gets_nothing(cast):
    add(cast, kinds=["award.made"])
    add(cast, organisation=cast.mallory.memberships.get().organisation, url="https://mill.example.org/")
    acts.awarded(cast)
    assert [(d.kind, d.endpoint.organisation) for d in WebhookDelivery.objects.all()] == [("award.made", cast.harbour)]


def test_a_payload_holds_ids_and_addresses_and_nothing_about_who_learns(cast):
    add(cast)
    made = acts.awarded(cast)
    for delivery in WebhookDelivery.objects.all():
        body = delivery.payload.decode()
        for secret in (cast.mei.name, cast.mei.email, str(cast.mei.id), cast.ana.name, "ana", made.token):
            assert secret not in body
        assert set(json.loads(body)) == {"type", "timestamp", "data"}
    body = json.loads(WebhookDelivery.objects.get(kind="award.made").payload)
    assert body["timestamp"] == "2026-11-24T09:00:00Z"
    assert body["data"]["credential"] == made.award.credential_id
    assert body["data"]["url"] == f"https://demo.guildmark.example/o/harbour-university/awards/{made.award.id}"


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_rolled_back_sends_nothing():
    cast = acts.cast()
    add(cast, kinds=["award.made"])
    decision = acts.decide(cast, acts.publish(cast))
    with transaction.atomic():
        acts.award(cast, decision)
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    poster = FakePoster(204)
    assert deliver(poster) == (0, 0)
    assert poster.sent == []
    acts.award(cast, decision)
    assert deliver(poster) == (1, 0)


# --- Signed and sent ---


def test_a_receiver_that_fails_twice_and_then_answers_gets_one_message_under_one_id_which_the_library_verifies(
    cast, settings
):
    settings.WEBHOOKS_INSIDE = True
    with listening() as receiver:
        receiver.answer(500, 503, 204)
        endpoint, secret = add(cast, url=receiver.url)
        clock = Clock(timezone.now())
        delivery = message(cast, endpoint, clock.now)
        poster = webhook_poster()
        assert deliver(poster, clock) == (0, 1)
        assert deliver(poster, clock) == (0, 0), "not before its time"
        clock.now += timedelta(seconds=5)
        assert deliver(poster, clock) == (0, 1)
        clock.now += timedelta(minutes=4, seconds=30)
        assert deliver(poster, clock) == (0, 0), "not before its time"
        clock.now += timedelta(seconds=30)
        assert deliver(poster, clock) == (1, 0)
        clock.now += timedelta(days=2)
        assert deliver(poster, clock) == (0, 0), "accepted once is accepted"
    assert receiver.ids == [str(delivery.id)] * 3
    assert len({one.body for one in receiver.received}) == 1
    assert receiver.received[0].headers["content-type"] == "application/json"
    for one in receiver.received[:2]:  # the third is signed five minutes ahead of the library's clock
        assert Webhook(secret).verify(one.body, one.headers)["type"] == "test"
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 3, 204)


def test_what_was_changed_on_the_way_is_refused_by_the_library(cast):
    endpoint, secret = add(cast)
    message(cast, endpoint)
    poster = FakePoster(204)
    deliver(poster, timezone.now())
    ((_, body, headers),) = poster.sent
    assert Webhook(secret).verify(body, headers)
    for changed_body, changed in [
        (body.replace(b"test", b"best"), headers),
        (body, {**headers, "webhook-id": str(uuid4())}),
        (body, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}),
    ]:
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Webhook(secret).verify(changed_body, changed)


def test_both_secrets_sign_for_a_day_after_a_rotation_and_the_new_one_alone_after_it(cast):
    endpoint, old = add(cast)
    rotated_at = timezone.now() - timedelta(hours=23)
    _, new = webhooks.rotate_secret(
        endpoint=endpoint, entropy=secrets.token_bytes(64), actor=cast.quinn, now=rotated_at
    )
    assert old != new
    poster = FakePoster(204)
    now = timezone.now()
    message(cast, endpoint, now)
    deliver(poster, now)
    _, body, headers = poster.sent[0]
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers)

    WebhookEndpoint.objects.update(before_until=now)
    message(cast, endpoint, now)
    deliver(poster, now)
    _, body, headers = poster.sent[1]
    assert Webhook(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers)
    assert WebhookEndpoint.objects.get().sealed_before is None, "a secret that no longer signs is not kept"


def test_the_waits_are_those_of_the_specification_longer_by_a_tenth_at_most(cast):
    endpoint, _ = add(cast)
    message(cast, endpoint)
    poster, clock, waits = FakePoster(500), Clock(), []
    for _ in range(9):
        assert deliver(poster, clock, jitter=1.0) == (0, 1)
        again = WebhookDelivery.objects.get().next_attempt_at
        waits.append((again - clock.now) / 1.1)
        clock.now = again
    hours = [round(wait.total_seconds() / 3600, 4) for wait in waits]
    assert hours == [0.0014, 0.0833, 0.5, 2, 5, 10, 14, 20, 24]


def test_an_endpoint_that_accepts_nothing_is_switched_off_when_the_schedule_is_over_and_its_administrators_are_told(
    cast,
):
    endpoint, _ = add(cast)
    message(cast, endpoint)
    poster, clock = FakePoster(500), Clock()
    for _ in range(10):
        deliver(poster, clock)
        clock.now += timedelta(days=2)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is not None
    assert "10 attempts" in endpoint.disabled_because
    assert WebhookDelivery.objects.get().state == "failed"
    (mail,) = OutboxMessage.objects.filter(subject__contains="webhook")
    assert mail.to == "quinn@example.org"
    assert "/o/harbour-university/connections" in mail.body
    sent = len(poster.sent)
    deliver(poster, clock)
    assert len(poster.sent) == sent == 10


def test_one_message_that_is_never_accepted_does_not_switch_off_an_endpoint_that_accepts_others(cast):
    endpoint, _ = add(cast)
    bad = message(cast, endpoint)
    clock = Clock()
    for _ in range(9):
        deliver(FakePoster(500), clock)
        clock.now += timedelta(days=2)
    message(cast, endpoint, clock.now - timedelta(days=3))  # due before the tenth attempt of the other
    assert deliver(FakePoster(204, 500), clock) == (1, 1)
    endpoint.refresh_from_db()
    bad.refresh_from_db()
    assert (bad.state, bad.attempts, endpoint.disabled_at) == ("failed", 10, None)
    assert not OutboxMessage.objects.filter(subject__contains="webhook").exists()


def test_gone_is_believed_at_once(cast):
    endpoint, _ = add(cast)
    first, second = message(cast, endpoint), message(cast, endpoint, NOW + timedelta(seconds=1))
    assert deliver(FakePoster(410), NOW) == (0, 1)
    endpoint.refresh_from_db()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("failed", "held")
    assert "410" in endpoint.disabled_because
    assert OutboxMessage.objects.filter(to="quinn@example.org").count() == 1


def test_what_happens_while_an_endpoint_is_switched_off_is_held_and_sent_when_it_is_on_again(cast):
    endpoint, _ = add(cast, kinds=["award.made"])
    webhooks.switch_off(endpoint=endpoint, because="We are moving.", actor=cast.quinn, now=NOW)
    made = acts.awarded(cast)
    poster = FakePoster(204)
    assert deliver(poster) == (0, 0)
    with pytest.raises(NotAllowed, match="switch it on first"):
        message(cast, endpoint)
    assert webhooks.switch_on(endpoint=endpoint, actor=cast.quinn, now=NOW) == 1
    assert webhooks.switch_on(endpoint=endpoint, actor=cast.quinn, now=NOW) == 0
    assert deliver(poster) == (1, 0)
    assert made.award.credential_id in poster.sent[0][1].decode()


def test_an_endpoint_where_nobody_answers_costs_one_attempt_and_not_one_for_each_message(cast):
    endpoint, _ = add(cast)
    other, _ = add(cast, url="https://other.example.org/")
    for _ in range(5):
        message(cast, endpoint)
    message(cast, other)
    poster = FakePoster(None)
    assert deliver(poster) == (0, 2)
    assert sorted(url for url, _, _ in poster.sent) == [
        "https://hooks.example.org/guildmark",
        "https://other.example.org/",
    ]
    assert sorted(endpoint.deliveries.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]
    back = FakePoster(204)
    assert deliver(back, NOW + timedelta(minutes=1)) == (6, 0), "and all of them arrive once it is back"


def test_a_run_ends_after_half_a_minute_so_that_mail_is_sent_too(cast):
    endpoint, _ = add(cast)
    for _ in range(9):
        message(cast, endpoint)
    clock, poster = Clock(), FakePoster(204)
    slow = poster.post

    def post(*arguments):
        clock.now += timedelta(seconds=9)
        return slow(*arguments)

    poster.post = post
    accepted, _ = deliver(poster, clock)
    assert accepted == 4
    from django_tasks_db.models import DBTaskResult

    assert DBTaskResult.objects.filter(task_path="guildmark.app.tasks.webhooks.deliver_webhooks").exists()


# --- Once more ---


def test_a_replay_sends_the_same_message_under_the_same_id(cast):
    endpoint, _ = add(cast)
    delivery = message(cast, endpoint)
    poster = FakePoster(204)
    deliver(poster)
    webhooks.replay(delivery=delivery, actor=cast.quinn, now=NOW + timedelta(hours=1))
    assert deliver(poster, NOW + timedelta(hours=1)) == (1, 0)
    assert poster.ids == [str(delivery.id)] * 2
    assert poster.sent[0][1] == poster.sent[1][1]
    assert Event.objects.filter(verb="replay_webhook", actor=cast.quinn).count() == 1


def test_everything_since_a_moment_is_sent_again(cast):
    endpoint, _ = add(cast)
    hours = [message(cast, endpoint, NOW + timedelta(hours=hour)) for hour in range(3)]
    later = NOW + timedelta(hours=3)
    deliver(FakePoster(204), later)
    count = webhooks.replay_since(endpoint=endpoint, since=NOW + timedelta(hours=1), actor=cast.quinn, now=later)
    poster = FakePoster(204)
    assert (count, deliver(poster, later)) == (2, (2, 0))
    assert set(poster.ids) == {str(one.id) for one in hours[1:]}


def test_deliveries_are_kept_for_thirty_days(cast):
    endpoint, _ = add(cast)
    message(cast, endpoint)
    deliver(FakePoster(204))
    assert webhooks.forget_old(now=NOW + timedelta(days=29)) == 0
    deliver(FakePoster(204), NOW + timedelta(days=30))
    assert not WebhookDelivery.objects.exists()


# --- Never to the inside, never elsewhere ---


def test_an_endpoint_on_this_machine_gets_nothing_unless_the_setting_says_so(cast, settings):
    with listening() as receiver:
        settings.WEBHOOKS_INSIDE = True
        endpoint, _ = add(cast, url=receiver.url)
        message(cast, endpoint)
        settings.WEBHOOKS_INSIDE = False
        assert deliver(webhook_poster()) == (0, 1)
    assert receiver.received == []
    assert "not an https address" in WebhookDelivery.objects.get().last_answer


def test_a_name_that_leads_inside_is_refused_when_something_is_sent(cast):
    endpoint, _ = add(cast, url="https://rebound.example.org/")
    message(cast, endpoint)
    for address in ("127.0.0.1", "10.0.0.8", "169.254.169.254", "::1"):
        WebhookDelivery.objects.update(next_attempt_at=NOW)
        inside = GuardedPoster(resolve=lambda host, port, address=address: [address])
        assert deliver(inside) == (0, 1)
        assert "not on the public internet" in WebhookDelivery.objects.get().last_answer


def test_a_redirect_is_an_answer_and_is_not_followed(cast, settings):
    settings.WEBHOOKS_INSIDE = True
    with listening() as elsewhere, listening() as receiver:
        receiver.answer(307, Location=elsewhere.url)
        endpoint, _ = add(cast, url=receiver.url)
        message(cast, endpoint)
        assert deliver(webhook_poster()) == (0, 1)
    assert (len(receiver.received), elsewhere.received) == (1, [])
    row = WebhookDelivery.objects.get()
    assert row.last_status == 307
    assert "redirect" in row.last_answer


def test_an_answer_is_kept_in_part_and_without_what_no_page_can_show(cast, settings):
    settings.WEBHOOKS_INSIDE = True
    with listening() as receiver:
        receiver.answer(500, body=b"no\x00room\n" + b"x" * 100_000)
        endpoint, _ = add(cast, url=receiver.url)
        message(cast, endpoint)
        assert deliver(webhook_poster()) == (0, 1)
    said = WebhookDelivery.objects.get().last_answer
    assert said.startswith("no room xxx")
    assert len(said) == 300


# --- Two workers ---


def test_two_workers_deliver_each_message_once(at_once, settings):
    settings.WEBHOOKS_INSIDE = True
    cast = acts.cast()
    with listening() as receiver:
        endpoint, _ = add(cast, url=receiver.url)
        ids = sorted(str(message(cast, endpoint).id) for _ in range(10))
        work = partial(webhooks.deliver_due, poster=webhook_poster(), clock=Clock(), jitter=lambda: 0.0)
        outcomes = at_once(work, work, work)
        assert sum(accepted for accepted, _ in outcomes) == 10, outcomes
    assert sorted(receiver.ids) == ids


def test_a_delivery_that_a_killed_worker_took_is_sent_by_another_later(cast):
    endpoint, _ = add(cast)
    delivery = message(cast, endpoint)
    assert webhooks._claim(delivery, NOW)
    poster = FakePoster(204)
    assert deliver(poster, NOW + timedelta(minutes=1)) == (0, 0)
    assert deliver(poster, NOW + timedelta(minutes=3)) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_the_worker_of_a_site_sends_what_a_verb_left_behind(settings):
    settings.WEBHOOKS_INSIDE = True
    cast = acts.cast()
    with listening() as receiver:
        _, secret = add(cast, url=receiver.url, kinds=["blueprint.published"])
        acts.publish(cast)
        call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    (one,) = receiver.received
    assert Webhook(secret).verify(one.body, one.headers)["type"] == "blueprint.published"


def test_what_waits_is_ordered_again_when_a_worker_starts(cast):
    from django_tasks_db.models import DBTaskResult

    from guildmark.app.services.recovery import catch_up

    endpoint, _ = add(cast)
    message(cast, endpoint)
    DBTaskResult.objects.all().delete()
    catch_up(now=datetime(2026, 11, 24, 10, tzinfo=UTC))
    assert DBTaskResult.objects.filter(task_path="guildmark.app.tasks.webhooks.deliver_webhooks").count() == 1
