"""Organisations begin, invite and let go: happy paths, bad input, and what Mallory gets."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guildmark.app.records import Event, Invitation, Membership, Organisation, OutboxMessage, Person
from guildmark.app.services.people import accept_own_invitation
from guildmark.core.errors import NotAllowed
from tests.app import cast as acts
from tests.web.test_public import assert_accessible, assert_guarded

START = {"name": "Rhein Academy", "slug": "rhein-academy", "kind": "provider", "country": "de"}


@pytest.fixture
def cast(db):
    return acts.cast()


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(response, status: int = 200):
    assert response.status_code == status
    assert_guarded(response)
    return assert_accessible(response)


def somebody(name: str = "nora") -> Person:
    return Person.objects.create(username=name, name=name.title(), email=f"{name}@example.org")


def sent_link() -> str:
    """The path of the link in the last invitation that was posted."""
    body = OutboxMessage.objects.latest("id").body
    (path,) = re.findall(r"https://\S+?(/invitation/\w+)", body)
    return path


def invite(cast, email: str, role: str = "marker") -> str:
    signed_in(cast.quinn).post("/o/harbour-university/people", {"email": email, "role": role})
    return sent_link()


# --- Beginning ---


@pytest.mark.django_db
def test_a_stranger_is_asked_to_sign_in_before_an_organisation_begins(client):
    for method in (client.get, client.post):
        response = method("/start")
        assert response.status_code == 302
        assert response.headers["Location"] == "/account/login/?next=/start"
    assert not Organisation.objects.exists()


@pytest.mark.django_db
def test_a_person_registers_an_organisation_and_is_its_administrator():
    nora = somebody()
    client = signed_in(nora)
    shown(client.get("/start"))
    response = client.post("/start", START, follow=True)
    assert response.redirect_chain == [("/o/rhein-academy/people", 302)]
    page = shown(response)
    assert "Rhein Academy is registered." in page.text
    row = Organisation.objects.get()
    assert (row.name, row.country, row.facts["checked"]) == ("Rhein Academy", "DE", False)
    assert row.keys.count() == 1
    assert [(m.person, m.role) for m in row.memberships.all()] == [(nora, "admin")]
    assert "Rhein Academy" in shown(client.get("/")).text
    assert Event.objects.filter(verb="register_organisation", subject="rhein-academy").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "This field is required."),
        ("slug", "", "This field is required."),
        ("slug", "Rhein Academy!", "valid “slug”"),
        ("slug", "x" * 51, "at most 50 characters"),
        ("country", "Germany", "Write the country as two letters"),
        ("kind", "regulator", "not one of the available choices"),
        ("slug", "harbour-university", "exists already"),
        ("slug", "Harbour-University", "exists already"),
    ],
)
def test_what_cannot_be_taken_is_marked_and_nothing_begins(cast, field, value, says):
    before = Organisation.objects.count()
    response = signed_in(cast.mallory).post("/start", {**START, field: value})
    page = shown(response, 422)
    assert says in page.text
    assert page.by_id(f"id_{field}")["aria-invalid"] == "true"
    if field != "name":
        assert page.by_id("id_name")["value"] == "Rhein Academy", "what was typed stays"
    assert Organisation.objects.count() == before


# --- People and roles ---


def test_an_administrator_invites_and_whoever_was_invited_takes_the_role(cast):
    nora = somebody()
    link = invite(cast, "Nora@example.org")
    message = OutboxMessage.objects.latest("id")
    assert (message.to, message.subject) == ("nora@example.org", "Harbour University invites you")
    assert Invitation.objects.get().token_sha256 not in message.body
    client = signed_in(nora)
    assert "You are invited to act for Harbour University as Marker." in shown(client.get("/")).text
    assert "Quinn Abara invites you to act as Marker." in shown(client.get(link)).text
    assert not Membership.objects.filter(person=nora).exists(), "looking takes nothing"
    page = shown(client.post(link, follow=True))
    assert "You act for Harbour University as Marker." in page.text
    assert [m.role for m in Membership.objects.filter(person=nora)] == ["marker"]
    assert "Nora" in shown(signed_in(cast.quinn).get("/o/harbour-university/people")).text


def test_an_invitation_works_once(cast):
    client = signed_in(somebody())
    link = invite(cast, "nora@example.org")
    client.post(link)
    Membership.objects.filter(person__username="nora").delete()
    page = shown(client.post(link, follow=True))
    assert "This invitation is used or over; ask for a new one." in page.text
    assert not Membership.objects.filter(person__username="nora").exists()


def test_an_invitation_ends_after_two_weeks(cast):
    client = signed_in(somebody())
    link = invite(cast, "nora@example.org")
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "used or over" in shown(client.post(link, follow=True)).text
    assert not Membership.objects.filter(person__username="nora").exists()
    assert "invited to act" not in shown(client.get("/")).text
    assert "nora@example.org" not in shown(signed_in(cast.quinn).get("/o/harbour-university/people")).text


def test_the_link_alone_is_not_enough(cast):
    link = invite(cast, "nora@example.org", "admin")
    page = shown(signed_in(cast.mallory).post(link, follow=True))
    assert "This invitation is for another e-mail address" in page.text
    assert not Membership.objects.filter(person=cast.mallory, organisation=cast.harbour).exists()
    assert Invitation.objects.get().accepted_at is None
    assert Client().post(link).headers["Location"].startswith("/account/login/")


def confirm(person: Person, email: str = "", *, verified: bool = True) -> None:
    EmailAddress.objects.create(user=person, email=email or person.email, primary=not email, verified=verified)


def own(invitation: Invitation) -> str:
    return f"/invitations/{invitation.pk}"


def test_what_went_to_a_confirmed_address_is_accepted_without_the_mail(cast):
    nora = somebody()
    confirm(nora)
    invite(cast, "nora@example.org")
    path, client = own(Invitation.objects.get()), signed_in(nora)
    assert path in [a.get("href") for a in shown(client.get("/")).all("a")]
    assert "Quinn Abara invites you to act as Marker." in shown(client.get(path)).text
    assert not Membership.objects.filter(person=nora).exists(), "looking takes nothing"
    assert "You act for Harbour University as Marker." in shown(client.post(path, follow=True)).text
    assert [m.role for m in Membership.objects.filter(person=nora)] == ["marker"]
    assert Event.objects.get(verb="accept_invitation").actor == nora
    for method in (client.get, client.post):
        shown(method(path), 404)
    assert path not in [a.get("href") for a in shown(client.get("/")).all("a")]


def test_a_second_address_counts_as_soon_as_it_is_confirmed(cast):
    nora = somebody()
    confirm(nora)
    confirm(nora, "weiss@work.example", verified=False)
    invite(cast, "weiss@work.example")
    path, client = own(Invitation.objects.get()), signed_in(nora)
    shown(client.post(path), 404)
    assert "invited to act" not in shown(client.get("/")).text
    EmailAddress.objects.filter(email="weiss@work.example").update(verified=True)
    assert "You act for Harbour University as Marker." in shown(client.post(path, follow=True)).text


def test_an_address_that_nobody_confirmed_takes_no_role(cast, settings):
    settings.DEMO = False
    invite(cast, "mallory@example.org", "admin")
    path = own(Invitation.objects.get())
    client = signed_in(cast.mallory)  # whose account says this address, and who never showed that it is hers
    confirm(cast.mallory, verified=False)
    assert "The link is in the e-mail." in shown(client.get("/")).text
    for method in (client.get, client.post):
        shown(method(path), 404)
    assert not Membership.objects.filter(person=cast.mallory, organisation=cast.harbour).exists()


def test_mallory_takes_nobodys_invitation_and_none_that_is_over(cast):
    confirm(cast.mallory)
    invite(cast, "nora@example.org", "admin")
    row, client = Invitation.objects.get(), signed_in(cast.mallory)
    for path in (own(row), "/invitations/00000000-0000-4000-8000-000000000000"):
        for method in (client.get, client.post):
            shown(method(path), 404)
    taken = {"invitation": row, "confirmed": ["mallory@example.org"], "actor": cast.mallory}
    with pytest.raises(NotAllowed, match="another e-mail address"):
        accept_own_invitation(**taken, now=timezone.now())
    Invitation.objects.update(email="mallory@example.org", expires_at=timezone.now() - timedelta(seconds=1))
    shown(client.post(own(row)), 404)
    with pytest.raises(NotAllowed, match="used or over"):
        accept_own_invitation(**taken, now=timezone.now())
    assert not Membership.objects.filter(person=cast.mallory, organisation=cast.harbour).exists()
    assert Client().post(own(row)).headers["Location"].startswith("/account/login/")
    assert client.put(own(row)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.mallory, backend="django.contrib.auth.backends.ModelBackend")
    assert strict.post(own(row)).status_code == 403


def test_people_stand_before_what_the_organisation_says_of_itself(cast):
    page = shown(signed_in(cast.quinn).get("/o/harbour-university/people"))
    parts = ("Who acts for it", "Invite somebody", "How it is regulated", "Numbers in public registers", "Signing keys")
    places = [page.text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("token", ["x", "a" * 48, "%00", "Ünïcödé"])
def test_an_unknown_invitation_says_so(cast, token):
    client = signed_in(cast.mallory)
    for method in (client.get, client.post):
        assert "This invitation is not known." in shown(method(f"/invitation/{token}"), 404).text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"email": "nobody", "role": "marker"}, "Enter a valid email address."),
        ({"email": "", "role": "marker"}, "This field is required."),
        ({"email": "nora@example.org", "role": "owner"}, "not one of the available choices"),
    ],
)
def test_an_invitation_that_cannot_be_sent_is_marked(cast, given, says):
    response = signed_in(cast.quinn).post("/o/harbour-university/people", given)
    page = shown(response, 422)
    assert says in page.text
    assert page.by_id("id_email").get("value", "") == given["email"]
    assert not Invitation.objects.exists()


def test_a_role_is_ended(cast):
    role = Membership.objects.get(person=cast.lee)
    client = signed_in(cast.quinn)
    page = shown(client.post("/o/harbour-university/people/remove", {"membership": role.pk}, follow=True))
    assert "Lee Marsh no longer has that role." in page.text
    assert not Membership.objects.filter(person=cast.lee).exists()
    assert signed_in(cast.lee).get("/o/harbour-university/people").status_code == 404


def test_the_last_administrator_cannot_go(cast):
    role = Membership.objects.get(person=cast.quinn)
    client = signed_in(cast.quinn)
    page = shown(client.post("/o/harbour-university/people/remove", {"membership": role.pk}, follow=True))
    assert "An organisation needs an administrator" in page.text
    assert Membership.objects.filter(pk=role.pk).exists()
    Membership.objects.create(person=cast.ana, organisation=cast.harbour, role="admin")
    client.post("/o/harbour-university/people/remove", {"membership": role.pk})
    assert not Membership.objects.filter(pk=role.pk).exists()


@pytest.mark.parametrize("number", ["", "x", "-1", "0", "9" * 30, "١"])
def test_a_role_that_is_not_there_is_a_plain_answer(cast, number):
    response = signed_in(cast.quinn).post("/o/harbour-university/people/remove", {"membership": number})
    shown(response, 404)


# --- Mallory ---


@pytest.mark.django_db
def test_a_domain_speaks_for_an_organisation_or_it_stays_unchecked(monkeypatch, network):
    monkeypatch.setattr("guildmark.app.web.organisations.network", lambda: network)
    nora = signed_in(somebody())
    nora.post("/start", START)
    row = Organisation.objects.get()
    page = shown(nora.post("/o/rhein-academy/people/check", {"domain": "rhein.example"}, follow=True))
    assert "did not answer" in page.text
    assert "has not been checked yet" in shown(nora.get("/")).text
    network.held["https://rhein.example/.well-known/guildmark.txt"] = row.did.encode()
    page = shown(nora.post("/o/rhein-academy/people/check", {"domain": "rhein.example"}, follow=True))
    assert "Rhein Academy is checked: its domain says so." in page.text
    assert shown(nora.get("/")).text.count("has not been checked yet") == 0


def test_mallory_gets_nothing_of_another_organisation(cast):
    client = signed_in(cast.mallory)
    role = Membership.objects.get(person=cast.lee)
    shown(client.get("/o/harbour-university/people"), 404)
    shown(client.post("/o/harbour-university/people", {"email": "mallory@example.org", "role": "admin"}), 404)
    shown(client.post("/o/harbour-university/people/remove", {"membership": role.pk}), 404)
    own = Membership.objects.get(person=cast.mallory)
    assert Membership.objects.filter(pk=role.pk).exists()
    shown(client.post("/o/mill/people/remove", {"membership": role.pk}), 404)
    assert Membership.objects.filter(pk__in=[role.pk, own.pk]).count() == 2
    assert not Invitation.objects.exists()
    shown(client.get("/o/nowhere/people"), 404)


def test_a_colleague_without_the_role_sees_and_changes_nothing(cast):
    client = signed_in(cast.lee)
    page = shown(client.get("/o/harbour-university/people"))
    assert "Quinn Abara" in page.text
    assert "Invite somebody" not in page.text
    given = {"email": "lee@example.org", "role": "admin"}
    shown(client.post("/o/harbour-university/people", given), 403)
    shown(client.post("/o/harbour-university/people/remove", {"membership": 1}), 403)
    assert not Invitation.objects.exists()


def test_wrong_methods_are_refused(cast):
    client = signed_in(cast.quinn)
    assert client.get("/o/harbour-university/people/remove").status_code == 405
    assert client.put("/o/harbour-university/people").status_code == 405
    assert client.delete("/start").status_code == 405
    assert Client().get("/demo/sign-in").status_code == 405


def test_nobody_becomes_somebody_with_one_click_outside_the_demo(cast, settings):
    settings.DEMO = False
    client = Client()
    assert client.post("/demo/sign-in", {"username": "quinn"}).status_code == 404
    assert "_auth_user_id" not in client.session
    settings.DEMO = True
    client.post("/demo/sign-in", {"username": "quinn"})
    assert client.session["_auth_user_id"] == str(cast.quinn.pk)
    Person.objects.filter(pk=cast.ana.pk).update(is_superuser=True)
    assert Client().post("/demo/sign-in", {"username": "ana"}).status_code == 404


def test_the_list_of_people_costs_the_same_however_long_it_is(cast):
    def statements() -> int:
        with CaptureQueriesContext(connection) as found:
            shown(client.get("/o/harbour-university/people"))
        return len(found)

    client = signed_in(cast.quinn)
    few = statements()
    for n in range(30):
        Membership.objects.create(person=somebody(f"person{n}"), organisation=cast.harbour, role="marker")
    assert statements() == few


# --- What rulebooks ask, and keys ---


def test_the_first_key_is_shown_and_leads_to_where_it_is_published(cast):
    page = shown(signed_in(cast.lee).get("/o/harbour-university/people"))
    assert f"{cast.harbour.did}#key-1" in page.text
    assert "/issuers/harbour-university/did.json" in [a.get("href") for a in page.all("a")]


@pytest.mark.django_db
def test_a_provider_says_how_it_is_regulated_and_the_gate_reads_it():
    nora = signed_in(somebody())
    nora.post("/start", START)
    assert "Not said yet" in shown(nora.get("/o/rhein-academy/people")).text
    path = "/o/rhein-academy/people/standing"
    shown(nora.get(path))
    page = shown(
        nora.post(path, {"regulated": "yes", "register": "the state register", "agency": "a council"}, follow=True)
    )
    assert "On a register, as it says itself: the state register. Reviewed from outside by a council." in page.text
    row = Organisation.objects.get()
    assert (row.facts["regulated"], row.facts["checked"]) == (True, False), "what was known stays"
    event = Event.objects.get(verb="state_standing")
    assert (event.actor.username, event.subject) == ("nora", "rhein-academy")
    nora.post(path, {"regulated": "no"})
    assert Organisation.objects.get().facts["regulated"] is False
    assert "On no regulator’s register" in shown(nora.get("/o/rhein-academy/people")).text


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Choose one of the two."),
        ({"regulated": "perhaps"}, "Select a valid choice"),
        ({"regulated": "yes", "register": "  "}, "say which register"),
        ({"regulated": "no", "agency": "x" * 301}, "at most 300 characters"),
    ],
    ids=["nothing", "neither", "no register", "too long"],
)
def test_a_standing_that_cannot_be_taken_is_marked(cast, given, says):
    page = shown(signed_in(cast.quinn).post("/o/harbour-university/people/standing", given), 422)
    assert says in page.text
    assert not Event.objects.filter(verb="state_standing").exists()


def test_only_an_administrator_of_a_provider_says_how_it_is_regulated(cast):
    path, given = "/o/harbour-university/people/standing", {"regulated": "no"}
    shown(signed_in(cast.lee).post(path, given), 403)
    shown(signed_in(cast.mallory).post(path, given), 404)
    shown(signed_in(cast.omar).get("/o/northwind-logistics/people/standing"), 404)
    assert Client().post(path, given).headers["Location"].startswith("/account/login/")
    assert signed_in(cast.quinn).put(path).status_code == 405
    cast.harbour.refresh_from_db()
    assert cast.harbour.facts["regulated"] is True


@pytest.mark.django_db
def test_whoever_founds_a_partner_can_sign_and_hire_at_once():
    nora = somebody()
    client = signed_in(nora)
    client.post("/start", {**START, "kind": "partner"})
    assert [m.role for m in Membership.objects.order_by("role")] == ["admin", "partner"]
    shown(client.get("/o/rhein-academy/hire"))
