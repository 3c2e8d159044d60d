"""The first page: what a stranger of each audience is told, and, in the demo, whom they can be."""

from __future__ import annotations

import uuid
from importlib.resources import files
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from guildmark.app.records import Membership, Person
from guildmark.app.web.home import START_AS
from tests.app import cast as acts
from tests.web.test_public import assert_accessible, assert_guarded


@pytest.fixture
def cast(db):
    return acts.cast()


@pytest.fixture
def demo(settings):
    settings.DEMO = True


def first_page(client: Client | None = None):
    response = (client or Client()).get("/")
    assert response.status_code == 200
    assert_guarded(response)
    return assert_accessible(response)


def add(username: str, name: str, *, organisation=None, role: str = "") -> Person:
    person = Person.objects.create(id=uuid.uuid4(), username=username, name=name, email=f"{username}@example.org")
    if organisation is not None:
        Membership.objects.create(person=person, organisation=organisation, role=role)
    return person


def offered(page) -> list[str]:
    return [attrs["value"] for tag, attrs in page.elements if tag == "button" and attrs.get("name") == "username"]


@pytest.mark.django_db
def test_a_stranger_of_each_audience_reads_what_it_is_for_them_and_where_to_begin():
    page = first_page()
    for says in ("shown a credential", "want to learn", "You teach", "You hire", "watch over quality"):
        assert says in page.text
    links = {attrs.get("href") for tag, attrs in page.elements if tag == "a"}
    assert {"/verify", "/learn", "/register", "/account/signup/"} <= links


def test_outside_the_demo_nobody_is_offered_and_nobody_is_named(cast, settings):
    settings.DEMO = False
    page = first_page()
    assert offered(page) == []
    assert "Quinn" not in page.text


def test_the_demo_offers_everybody_once_and_never_an_operator(cast, demo):
    add("root", "Root Operator")
    Person.objects.filter(username="root").update(is_superuser=True)
    add("gone", "Gone Person")
    Person.objects.filter(username="gone").update(is_active=False)
    found = offered(first_page())
    assert sorted(found) == ["ana", "lee", "mallory", "omar", "priya", "quinn"]


def test_the_demo_offers_one_of_each_audience_first_with_what_to_look_at(cast, demo):
    for username, _, _ in START_AS:
        add(username, username.title(), organisation=cast.harbour, role="designer")
    page = first_page()
    found = offered(page)
    assert found[: len(START_AS)] == [username for username, _, _ in START_AS]
    assert len(found) == len(set(found)) == len(START_AS) + 6
    for _, audience, shows in START_AS:
        assert str(audience) in page.text
        assert str(shows) in page.text


def test_the_others_stand_by_organisation_with_their_roles_and_learners_last(cast, demo):
    add("zoe", "Zoë Nguyễn")
    Membership.objects.create(person=cast.quinn, organisation=cast.harbour, role="designer")
    page = first_page()
    places = [page.text.index(says) for says in ("Harbour University", "The Mill", "Industry partners", "Learners")]
    assert places == sorted(places)
    assert "Admin, Designer" in page.text
    assert page.text.index("Zoë Nguyễn") > places[-1]
    assert "7 more people" in page.text


def test_who_acts_for_two_organisations_stands_under_both_and_is_counted_once(cast, demo):
    Membership.objects.create(person=cast.omar, organisation=cast.harbour, role="marker")
    page = first_page()
    assert offered(page).count("omar") == 2
    assert "6 more people" in page.text


def test_a_name_that_looks_like_markup_is_only_a_name(cast, demo):
    add("bobby", "<script>alert(1)</script>")
    assert b"<script>alert" not in Client().get("/").content
    first_page()


def test_the_list_costs_the_same_however_many_people_there_are(cast, demo):
    def statements() -> int:
        with CaptureQueriesContext(connection) as found:
            first_page()
        return len(found)

    few = statements()
    for number in range(40):
        add(f"p{number}", f"Person {number}", organisation=cast.harbour, role="marker")
    assert statements() == few


def test_one_click_signs_in_and_leads_home(cast, demo):
    client = Client()
    page = client.post("/demo/sign-in", {"username": "lee"}, follow=True)
    assert page.redirect_chain == [("/", 302)]
    assert "Lee Marsh" in page.content.decode()


@pytest.mark.parametrize(
    "username",
    ["", "nobody", "Lee", "lee ", "\x00lee", "' OR 1=1 --", "x" * 5000],
    ids=["nothing", "nobody", "capital", "space", "zero byte", "quote", "long"],
)
def test_mallory_is_nobody_whom_the_demo_does_not_know(cast, demo, username):
    client = Client()
    assert client.post("/demo/sign-in", {"username": username}).status_code == 404
    assert "_auth_user_id" not in client.session


def test_somebody_who_left_is_nobody_in_the_demo_either(cast, demo):
    Person.objects.filter(pk=cast.lee.pk).update(is_active=False)
    client = Client()
    assert client.post("/demo/sign-in", {"username": "lee"}).status_code == 404
    assert "_auth_user_id" not in client.session


def test_one_click_needs_the_form_it_stands_in(cast, demo):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/demo/sign-in", {"username": "lee"}).status_code == 403


# --- The way back, from every page ---


def current(client: Client, path: str) -> list[str]:
    page = assert_accessible(client.get(path))
    return [attrs["href"] for tag, attrs in page.elements if tag == "a" and attrs.get("aria-current") == "page"]


def test_the_menu_leads_home_whoever_is_signed_in(cast, client):
    assert "Home" not in first_page().text
    client.force_login(cast.lee, backend="django.contrib.auth.backends.ModelBackend")
    assert "Home" in first_page(client).text
    assert current(client, "/") == ["/"]
    assert current(client, "/learn") == []


def test_developers_find_the_api_from_every_page(cast, client):
    for path in ("/", "/verify", "/register"):
        assert "/api/v1/" in {a.get("href") for a in assert_accessible(client.get(path)).all("a")}, path


def test_a_link_is_no_button_whatever_it_looks_like():
    pages = list(Path(str(files("guildmark.app.web") / "templates")).rglob("*.html"))
    assert len(pages) > 50
    assert [page.name for page in pages if 'role="button"' in page.read_text()] == []
