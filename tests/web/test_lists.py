"""Every list page makes the same number of SQL statements with 10 and with 1,000 rows behind it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guildmark.app import records
from guildmark.app.services import design, numbers
from tests.app import cast as acts
from tests.web.test_provider import signed_in

NOW = timezone.now().replace(microsecond=0)
FEW, MANY = 10, 1000


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(acts, "NOW", NOW - timedelta(hours=1))


@pytest.fixture
def world(db):
    """The cast, one award with all that it rests on, and a draft that Northwind was asked to sign."""
    cast = acts.cast()
    made = acts.awarded(cast)
    draft = acts.draft(cast, acts.sample("data-storytelling"))
    design.ask_partner(version=draft, partner=cast.northwind, actor=cast.quinn, now=NOW)
    numbers.claim_number(
        id=uuid4(), organisation=cast.harbour, scheme="other", number="2026/1", actor=cast.quinn, now=NOW
    )
    for role in ("designer", "marker", "awarder"):
        records.Membership.objects.create(person=cast.quinn, organisation=cast.harbour, role=role)
    records.Person.objects.filter(pk=cast.mallory.pk).update(is_superuser=True)
    return cast, made, draft


def like(row, **changes):
    """A copy of the row under a new key, not saved."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    del values[row._meta.pk.attname]
    if row._meta.pk.get_internal_type() == "UUIDField":
        values["id"] = uuid4()
    return type(row)(**{**values, **changes})


def _organisations(start: int, end: int) -> list[records.Organisation]:
    return records.Organisation.objects.bulk_create(
        records.Organisation(
            id=uuid4(), slug=f"o-{i}", name=f"O {i}", kind="provider", did=f"did:web:o{i}", country="AU", created_at=NOW
        )
        for i in range(start, end)
    )


def grow(world, start: int, end: int) -> None:
    """More of everything that is listed somewhere, each row a cheap copy of one that a verb made."""
    cast, made, draft = world
    n = range(start, end)
    records.BlueprintVersion.objects.bulk_create(
        like(row, blueprint_id=f"urn:uuid:{uuid4()}", title=f"{row.state} {i}")
        for row in (made.version, draft)
        for i in n
    )
    copies = list(records.BlueprintVersion.objects.filter(title__startswith="draft ").order_by("id")[: len(n)])
    records.CoDesign.objects.bulk_create(
        [
            records.CoDesign(blueprint_version=row, partner=cast.northwind, asked_by=cast.quinn, asked_at=NOW)
            for row in copies
        ],
        ignore_conflicts=True,
    )
    gate = made.version.gate_results.order_by("-seq")[0]
    records.GateResult.objects.bulk_create(
        like(gate, blueprint_version_id=row.pk, seq=1)
        for row in records.BlueprintVersion.objects.filter(title__startswith="published ", gate_results=None)
    )
    learners = records.Learner.objects.bulk_create(
        records.Learner(id=uuid4(), name=f"L{i}", email=f"l{i}@example.org", created_at=NOW)
        for i in range(4 * start, 4 * end)
    )
    enrolment = made.decision.enrolment
    enrolments = records.Enrolment.objects.bulk_create(like(enrolment, learner_id=one.pk) for one in learners)
    work = enrolment.submissions.all()[0]
    works = records.Submission.objects.bulk_create(like(work, enrolment_id=row.pk) for row in enrolments)
    # A quarter has work only, a quarter marks, a quarter a pass, a quarter an award.
    mark = work.marks.all()[0]
    records.Mark.objects.bulk_create(like(mark, submission_id=row.pk) for i, row in enumerate(works) if i % 4)
    decisions = records.Decision.objects.bulk_create(
        like(made.decision, enrolment_id=row.pk) for i, row in enumerate(enrolments) if i % 4 > 1
    )
    records.Award.objects.bulk_create(
        like(made.award, decision_id=row.pk, credential_id=f"urn:{row.pk}", claim_sha256=str(row.pk), claimed_at=None,
             learner_id=made.award.learner_id, status_index=1_000_000 + 4 * start + i)
        for i, row in enumerate(decisions) if i % 2
    )  # fmt: skip
    records.Event.objects.bulk_create(
        records.Event(at=NOW, actor=cast.quinn, verb="judge", subject=f"{i}", organisation=cast.harbour) for i in n
    )
    needs = records.Need.objects.bulk_create(
        records.Need(id=uuid4(), partner=cast.northwind, role=f"Role {i}", words="w", hires=1, by_when=NOW.date(),
               opened_by=cast.omar, opened_at=NOW) for i in n
    )  # fmt: skip
    records.NeedAnswer.objects.bulk_create(
        records.NeedAnswer(need=row, blueprint_version=draft, by=cast.quinn, at=NOW) for row in needs[::2]
    )
    records.JobAd.objects.bulk_create(
        records.JobAd(id=f"ad-{i}", source="x", title=f"Job {i}", text=f"{i}", text_sha256=f"{i:064}", ingested_at=NOW)
        for i in n
    )
    records.RegisterNumber.objects.bulk_create(
        like(row, organisation_id=other.pk, number=f"{row.pk}")
        for row in records.RegisterNumber.objects.all()[:1]
        for other in _organisations(start, end)
    )


LISTS = {
    "/o/harbour-university/blueprints": "quinn",
    "/o/harbour-university/marking": "lee",
    "/o/harbour-university/awards": "quinn",
    "/o/harbour-university/open-needs": "quinn",
    "/o/harbour-university/trail": "quinn",
    "/o/northwind-logistics/needs": "omar",
    "/o/northwind-logistics/hire": "omar",
    "/o/northwind-logistics/maps": "omar",
    "/numbers": "mallory",
    "/register": "",
    "/register.csv": "",
    "/register/figures": "",
    "/learn": "",
    "/": "quinn",
}
"""Every page that lists rows, and who of the cast reads it ("" for anybody)."""


def cost(client, path: str) -> int:
    """Statements of the page on its second visit, read to its end."""
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        response = client.get(path)
        assert response.status_code == 200, path
        b"".join(response.streaming_content) if response.streaming else response.content
    return len(seen)


def test_a_list_costs_the_same_with_10_and_with_1000_rows(world, client):
    cast, made, _draft = world
    offering = f"/o/harbour-university/offerings/{made.decision.enrolment.offering_id}"
    pages = {**LISTS, offering: "quinn"}
    clients = {name: signed_in(getattr(cast, name)) if name else client for name in set(pages.values())}
    grow(world, 0, FEW)
    few = {path: cost(clients[who], path) for path, who in pages.items()}
    grow(world, FEW, MANY)
    many = {path: cost(clients[who], path) for path, who in pages.items()}
    # The table of the whole register is read in portions of 500, with what belongs to each.
    portions = few.pop("/register.csv"), many.pop("/register.csv")
    assert portions[1] <= portions[0] * 3
    assert many == few
    assert max(few.values()) < 60
