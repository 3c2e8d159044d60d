"""Every page says for whom it is, and Mallory gets nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from guildmark.app.access import ACTIONS, AUDIENCES, permits, require
from guildmark.app.records import Membership, Organisation, Person
from guildmark.core.errors import NotAllowed

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


ELSEWHERE = {
    "account/": ("allauth.", "django.views.generic."),
    "admin/": ("django.",),
}
"""Below these prefixes, and nowhere else, other people's views answer, and only of these packages.

Whom allauth's let in is tried address by address in `tests/web/test_accounts.py`; Django's admin is the operator's, see
below. Our own views declare their audience wherever they stand, the API's and the choice of a language included.
"""


def _views(patterns, prefix=""):
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from _views(entry.url_patterns, prefix + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield prefix + str(entry.pattern), entry.callback


def _is_elsewhere(path, view) -> bool:
    packages = next((packages for prefix, packages in ELSEWHERE.items() if path.startswith(prefix)), ())
    return getattr(view, "__module__", "").startswith(packages) if packages else False


def test_every_address_declares_its_audience():
    views = list(_views(get_resolver().url_patterns))
    assert len(views) > 100
    assert all(any(path.startswith(prefix) for path, _view in views) for prefix in ELSEWHERE)
    undeclared = [
        path
        for path, view in views
        if getattr(view, "audience", None) not in AUDIENCES and not _is_elsewhere(path, view)
    ]
    assert undeclared == []


def test_a_view_without_an_audience_would_be_found():
    def ours(request): ...

    assert not _is_elsewhere("register", ours)
    assert not _is_elsewhere("account/mine", ours), "a view of our own declares its audience wherever it stands"
    assert not _is_elsewhere("o/<slug:slug>/x", get_resolver().resolve("/account/login/").func)


@pytest.mark.django_db
def test_the_admin_is_the_operators_alone(client):
    plain = sorted(
        path for path, view in _views(get_resolver().url_patterns) if path.startswith("admin/") and "<" not in path
    )
    assert len(plain) > 10
    for person in (None, _person("somebody")):
        if person is not None:
            client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        for path in plain:
            if path not in ("admin/login/", "admin/logout/"):
                response = client.get(f"/{path}")
                assert response.status_code in (302, 403, 404, 405), path
                assert response.status_code != 302 or "/login" in response.url, path


@pytest.fixture
def harbour(db):
    return Organisation.objects.create(
        id=uuid4(),
        slug="harbour",
        name="Harbour",
        kind="provider",
        did="did:web:h.example",
        country="AU",
        created_at=NOW,
    )


def _person(name, organisation=None, role=None, **facts):
    person = Person.objects.create(id=uuid4(), username=name, email=f"{name}@example.org", **facts)
    if organisation is not None:
        Membership.objects.create(person=person, organisation=organisation, role=role)
    return person


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_mallory_may_do_nothing(harbour, action):
    elsewhere = Organisation.objects.create(
        id=uuid4(), slug="mill", name="Mill", kind="provider", did="did:web:mill.example", country="XX", created_at=NOW
    )
    mallory = _person("mallory")
    for role in Membership.Role.values:
        Membership.objects.create(person=mallory, organisation=elsewhere, role=role)
    assert not permits(mallory, action, harbour)
    with pytest.raises(NotAllowed, match="may not"):
        require(mallory, action, harbour)


def test_a_role_permits_what_the_table_says_and_nothing_else(harbour):
    for role in Membership.Role.values:
        person = _person(f"p-{role}", harbour, role)
        for action, roles in ACTIONS.items():
            assert permits(person, action, harbour) is (role in roles)


def test_somebody_who_left_may_do_nothing(harbour):
    gone = _person("gone", harbour, "admin", is_active=False)
    assert not permits(gone, "publish", harbour)


def test_the_table_in_docs_is_the_table_that_is_enforced():
    import re

    from tests.paths import PROJECT

    page = (PROJECT / "docs" / "trust.md").read_text(encoding="utf-8")
    section = page.partition("## Who may do what")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| ([a-z ]+) \| ([a-z, ]+) \| `", section, re.MULTILINE))
    assert rows == {action.replace("_", " "): ", ".join(sorted(map(str, roles))) for action, roles in ACTIONS.items()}


def test_only_an_operator_does_what_concerns_every_organisation(harbour):
    from guildmark.app.access import require_operator

    for role in Membership.Role.values:
        with pytest.raises(NotAllowed, match="operator of the site"):
            require_operator(_person(f"p-{role}", harbour, role))
    with pytest.raises(NotAllowed):
        require_operator(_person("gone", is_superuser=True, is_active=False))
    require_operator(_person("root", is_superuser=True))
