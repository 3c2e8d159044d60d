"""An organisation that registers itself can sign nothing until its domain, or a named person, speaks for it."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest

from guildmark.app.records import Event, Membership, Organisation
from guildmark.app.services import design, people
from guildmark.core.doors import Document, NoNetwork
from guildmark.core.errors import BrokenInput, NotAllowed, OutsideFailure
from tests.app import cast as world

NOW = world.NOW


class _Web:
    """A web of one file."""

    def __init__(self, url: str, text: str) -> None:
        self.url, self.text = url, text

    def fetch(self, url: str) -> Document:
        if url != self.url:
            raise OutsideFailure(f"{url} is not there")
        return Document(url, self.text.encode())


@pytest.fixture
def mill(cast):
    return people.found_organisation(
        id=uuid4(), name="New Mill", slug="new-mill", kind="partner", country="AU",
        entropy=secrets.token_bytes(32), actor=cast.mallory, now=NOW,
    )  # fmt: skip


def _prove(mill, cast, domain="mill.example", text=None, fetcher=None):
    web = fetcher or _Web("https://mill.example/.well-known/guildmark.txt", text or f"hello\n{mill.did}\n")
    return people.prove_domain(organisation=mill, domain=domain, fetcher=web, actor=cast.mallory, now=NOW)


def test_who_registers_a_partner_is_its_administrator_who_may_sign_too_and_it_has_a_key(cast, mill):
    roles = Membership.objects.filter(organisation=mill).order_by("role")
    assert [(m.person, m.role) for m in roles] == [(cast.mallory, "admin"), (cast.mallory, "partner")]
    assert mill.keys.count() == 1


def test_an_unchecked_partner_signs_no_map(cast, mill):
    with pytest.raises(NotAllowed, match="not been checked"):
        design.endorse(
            id=uuid4(), version=world.draft(cast), partner=mill, scope="whole", claim="Fine.",
            valid_until=None, actor=cast.mallory, now=NOW,
        )  # fmt: skip


def test_an_unchecked_provider_publishes_nothing(cast):
    version = world.draft(cast)
    world.endorse(cast, version)
    world.judge_all(cast, version)
    world.review(cast, version)
    Organisation.objects.filter(pk=cast.harbour.pk).update(facts={**cast.harbour.facts, "checked": False})
    with pytest.raises(NotAllowed, match="not been checked"):
        design.publish_blueprint(version=version, actor=cast.quinn, now=NOW)


def test_its_domain_speaks_for_it(cast, mill):
    row = _prove(mill, cast, "https://Mill.example/")
    assert row.facts["checked"] == {"how": "domain mill.example", "by": "Mallory", "on": "2026-11-24"}
    assert Event.objects.filter(verb="check_organisation", subject="new-mill").count() == 1


@pytest.mark.parametrize(
    ("domain", "text", "error"),
    [
        ("mill.example", "did:web:somebody.else", NotAllowed),
        ("mill.example", "xdid:web:demo.guildmark.example:partners:new-mill", NotAllowed),
        ("127.0.0.1", None, BrokenInput),
        ("localhost", None, BrokenInput),
        ("mill.example/path?x", None, BrokenInput),
        ("other.example", None, OutsideFailure),
    ],
)
def test_a_domain_that_does_not_say_so_changes_nothing(cast, mill, domain, text, error):
    with pytest.raises(error):
        _prove(mill, cast, domain, text)
    mill.refresh_from_db()
    assert mill.facts["checked"] is False


def test_without_a_network_it_is_not_known(cast, mill):
    with pytest.raises(OutsideFailure):
        _prove(mill, cast, fetcher=NoNetwork())


def test_a_named_person_speaks_for_it_and_says_how(cast, mill):
    with pytest.raises(BrokenInput, match="who looked"):
        people.confirm_organisation(organisation=mill, how=" ", by="Ana Ruiz", now=NOW)
    row = people.confirm_organisation(organisation=mill, how="Register, no. 123", by="Ana Ruiz", now=NOW)
    people.require_checked(row)
