"""Events are appended, and nobody changes one; each stands in the trail of whom it concerns."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from guildmark.app.queries.trail import KINDS, steps, trail_of
from guildmark.app.records import Event
from guildmark.app.records.append_only import guard_events
from guildmark.app.services import design
from tests.app import cast as acts
from tests.app.cast import NOW


@pytest.mark.parametrize("how", ["a save", "an update", "a delete", "a delete of all", "SQL"])
def test_an_event_is_never_changed_or_deleted(cast, how):
    event = Event.objects.earliest("id")
    before = list(Event.objects.order_by("id").values())
    event.verb = "nothing"
    change = {
        "a save": event.save,
        "an update": lambda: Event.objects.filter(pk=event.pk).update(subject="other"),
        "a delete": event.delete,
        "a delete of all": lambda: Event.objects.all().delete(),
        "SQL": lambda: connection.cursor().execute("UPDATE guildmark_event SET actor_id = NULL"),
    }[how]
    with pytest.raises(DatabaseError, match="appended, never changed"), transaction.atomic():
        change()
    assert list(Event.objects.order_by("id").values()) == before


def test_the_guard_can_be_put_up_again_and_again(cast):
    guard_events(using="default")
    guard_events(using="default")
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.all().delete()


def test_both_sides_find_a_step_in_their_trail_and_nobody_else(cast):
    version = acts.draft(cast)
    design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=NOW)
    mill = acts.Organisation.objects.get(slug="mill")
    for organisation, there in ((cast.harbour, True), (cast.northwind, True), (mill, False)):
        assert trail_of(organisation).filter(verb="ask_partner").exists() is there
    assert [e.verb for e in trail_of(cast.harbour, kind="design")] == ["draft_blueprint"]


def test_every_verb_that_leaves_a_step_for_an_organisation_has_words(cast):
    made = acts.awarded(cast)
    told = {verb for _title, verbs in KINDS.values() for verb in verbs}
    found = {e.verb for e in trail_of(cast.harbour)} | {e.verb for e in trail_of(cast.northwind)}
    assert made.award
    assert found <= told
    assert {"award_credential", "record_mark", "publish_blueprint", "endorse", "create_key"} <= found


def test_a_step_shows_its_facts_and_leaves_out_what_is_empty(cast):
    event = Event.objects.create(
        at=NOW, verb="odd_thing", subject="x", facts={"a_b": "c", "none": None, "many": [1, 2]}
    )
    (step,) = steps([event])
    assert (step.says, step.facts) == ("odd thing", (("a b", "c"), ("many", "1, 2")))
