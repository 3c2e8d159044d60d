"""A site with one award: Zoë Nguyễn took a course of Harbour University, and a certificate made of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from django.utils import timezone

from guildmark.app.records import Award, BlueprintVersion, Decision, Enrolment, Membership, Offering, Person
from guildmark.app.services.awards import award_credential, change_status
from guildmark.app.services.people import add_learner, create_key, register_organisation
from guildmark.assess.decision import decide
from guildmark.assess.marking import Mark
from guildmark.core.codecs import jcs, parse_json
from guildmark.core.doors import Document
from guildmark.core.errors import OutsideFailure
from guildmark.design.blueprint import blueprint_digest
from tests.unit.credential.award_cast import blueprint

AWARDED = timezone.now().replace(microsecond=0) - timedelta(days=2)
"""Pages look at the real clock, so the award was made the day before yesterday."""

ZOE = "Zoë Nguyễn"


@dataclass
class FakeNetwork:
    """The outside world: what lies at each address, and nothing else."""

    held: dict[str, bytes] = field(default_factory=dict)

    def fetch(self, url: str) -> Document:
        if url not in self.held:
            raise OutsideFailure(f"{url} did not answer")
        return Document(url, self.held[url], "application/json")


@pytest.fixture(autouse=True)
def network(monkeypatch):
    fake = FakeNetwork()
    monkeypatch.setattr("guildmark.app.web.public.network", lambda: fake)
    return fake


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.HOME = tmp_path
    return tmp_path


def _entropy():
    """Bytes that look random and come out the same on every run."""
    numbers = count()

    def draw(size: int) -> bytes:
        drawn = b""
        while len(drawn) < size:
            drawn += hashlib.sha256(f"web {next(numbers)}".encode()).digest()
        return drawn[:size]

    return draw


@dataclass
class Site:
    """The award, its claim token, and the verbs that tests need."""

    award: Award
    token: str
    actor: Person
    entropy: object
    learner_name: str = ZOE

    def status(self, state: str, code: str) -> None:
        change_status(
            award=self.award, state=state, code=code, note="", entropy=self.entropy, actor=self.actor, now=AWARDED
        )


def _uuid(number: int) -> UUID:
    return UUID(f"00000000-0000-4000-8000-{number:012d}")


@pytest.fixture
def site(db):
    plan, entropy = blueprint(), _entropy()
    harbour = register_organisation(
        id=_uuid(1), slug="harbour-university", name="Harbour University", kind="provider",
        did="did:web:demo.guildmark.example:issuers:harbour-university", country="AU", facts={}, now=AWARDED,
    )  # fmt: skip
    create_key(organisation=harbour, entropy=entropy(32), now=AWARDED - timedelta(days=1))
    quinn = Person.objects.create(id=_uuid(2), username="quinn", name="Quinn Abara", email="quinn@example.org")
    Membership.objects.create(person=quinn, organisation=harbour, role="awarder")
    version = BlueprintVersion.objects.create(
        id=_uuid(3), blueprint_id=plan.id, version=plan.version, provider=harbour, title=plan.title,
        document=parse_json(jcs(plan.to_json())), digest=blueprint_digest(plan), state="published",
        created_at=AWARDED, created_by=quinn, published_at=AWARDED,
    )  # fmt: skip
    zoe = add_learner(id=_uuid(4), name=ZOE, email="zoe.nguyen@example.org", now=AWARDED)
    offering = Offering.objects.create(
        id=_uuid(5), blueprint_version=version, title=plan.title, opens_on=AWARDED.date(), created_at=AWARDED
    )
    enrolment = Enrolment.objects.create(id=_uuid(6), offering=offering, learner=zoe, enrolled_at=AWARDED)
    marks = [
        Mark(f"work-{a.id}", a.id, c.id, marker, c.pass_level, "As the rubric says.", AWARDED)
        for a in plan.assessments
        for c in a.criteria
        for marker in ("lee", "priya")
    ]
    value = decide(plan, marks, decision_id=str(_uuid(7)), learner_id=str(zoe.id), decided_by="quinn", now=AWARDED)
    decision = Decision.objects.create(
        id=_uuid(7), enrolment=enrolment, document=value.to_json(), passed=value.passed,
        marks_sha256=value.marks_sha256, decided_by=quinn, decided_at=AWARDED,
    )  # fmt: skip
    award, token = award_credential(id=_uuid(8), decision=decision, entropy=entropy, actor=quinn, now=AWARDED)
    return Site(award, token, quinn, entropy)
