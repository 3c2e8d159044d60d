"""Pages on which partners and providers find each other, and what an administrator and the operator look up."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from guildmark.app.records import Award, CoDesign, Comment, Event, Mark, Need, Person, RegisterNumber
from guildmark.app.services import design, needs, numbers
from guildmark.core.doors import Listed
from guildmark.core.errors import OutsideFailure
from tests.app import cast as acts
from tests.web.test_provider import shown, signed_in, told

NOW = timezone.now().replace(microsecond=0)
H, N = "/o/harbour-university", "/o/northwind-logistics"
SOON = (NOW.date() + timedelta(days=90)).isoformat()
NEED = {"role": "Operations analyst", "words": "Writes SQL.", "field": "06", "hires": "3", "by_when": SOON}


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(acts, "NOW", NOW - timedelta(hours=1))


@pytest.fixture
def cast(db):
    return acts.cast()


@pytest.fixture
def need(cast):
    facts = {**NEED, "hires": 3, "by_when": NOW.date() + timedelta(days=90)}
    return needs.open_need(id=uuid4(), partner=cast.northwind, actor=cast.omar, now=acts.NOW, **facts)


@pytest.fixture
def asked(cast):
    version = acts.draft(cast)
    design.ask_partner(version=version, partner=cast.northwind, actor=cast.quinn, now=acts.NOW)
    return version


@pytest.fixture
def operator(cast):
    return Person.objects.create(
        id=uuid4(), username="root", name="Olu Operator", email="root@example.org", is_superuser=True
    )


# --- Needs ---


def test_a_partner_opens_a_need_uninvited_and_a_provider_answers_with_a_draft(cast):
    omar, quinn = signed_in(cast.omar), signed_in(cast.quinn)
    acts.demand()
    assert "You have opened none yet." in shown(omar.get(f"{N}/needs")).text
    page = told(omar, f"{N}/needs/new", NEED)
    assert "Your need is open" in page.text
    assert "No provider has answered yet." in page.text
    assert "SQL" in page.text
    version = acts.draft(cast)
    assert "1 open need of an industry partner in your fields." in shown(quinn.get("/")).text
    need = Need.objects.get()
    assert "Operations analyst" in shown(quinn.get(f"{H}/open-needs")).text
    page = told(quinn, f"{H}/open-needs/{need.pk}", {"draft": str(version.pk)})
    assert "is told, and can read" in page.text
    assert "open need of an industry partner" not in shown(quinn.get("/")).text
    assert "1 draft answers a need of yours." in shown(omar.get("/")).text
    assert version.title in shown(omar.get(f"{N}/needs/{need.pk}")).text
    assert "Needs that it answers" in shown(quinn.get(f"{H}/blueprints/{version.pk}")).text
    page = told(omar, f"{N}/needs/{need.pk}/close", {"reason": "We hired all three."})
    assert "We hired all three." in page.text
    assert quinn.get(f"{H}/open-needs/{need.pk}").status_code == 404
    assert "No need is open here now." in shown(quinn.get(f"{H}/open-needs?fields=all")).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"role": ""}, "role"),
        ({"words": " "}, "words"),
        ({"field": "99"}, "field"),
        ({"hires": "none"}, "hires"),
        ({"hires": "0"}, "hires"),
        ({"by_when": "2020-01-01"}, "by_when"),
        ({"by_when": "soon"}, "by_when"),
    ],
    ids=lambda value: str(value),
)
def test_a_need_that_says_too_little_is_marked_and_kept(cast, wrong, field):
    page = shown(signed_in(cast.omar).post(f"{N}/needs/new", {**NEED, **wrong}), 422)
    assert page.by_id(f"id_{field}").get("aria-invalid") == "true"
    kept = "words" if field == "role" else "role"
    assert NEED[kept] in (page.text if kept == "words" else page.by_id("id_role")["value"])
    assert not Need.objects.exists()


def test_a_need_is_answered_with_a_draft_of_ones_own_and_closed_with_a_reason(cast, need):
    quinn = signed_in(cast.quinn)
    shown(quinn.post(f"{H}/open-needs/{need.pk}", {"draft": str(uuid4())}), 422)
    shown(signed_in(cast.omar).post(f"{N}/needs/{need.pk}/close", {"reason": ""}), 422)
    need.refresh_from_db()
    assert need.state == "open"


COPY = {"sample": "sql-python-operations"}


def test_a_draft_that_is_begun_from_a_need_answers_it(cast, need):
    quinn, path = signed_in(cast.quinn), f"{H}/blueprints/new?need={need.pk}"
    assert shown(quinn.get(f"{H}/open-needs/{need.pk}")).by_href(path)
    assert "The draft answers “Operations analyst”: Northwind Logistics is told at once" in shown(quinn.get(path)).text
    page = shown(quinn.post(path, {}), 422)
    assert "The draft answers “Operations analyst”" in page.text, "a mistake does not lose the need"
    page = told(quinn, path, {**COPY, "title": "For the night"})
    assert "“For the night” is a draft." in page.text
    assert "Northwind Logistics is told, and can read “For the night”." in page.text
    assert "For the night" in shown(signed_in(cast.omar).get(f"{N}/needs/{need.pk}")).text
    need.refresh_from_db()
    assert need.state == "answered"


def test_a_need_that_was_closed_meanwhile_leaves_the_draft_a_draft(cast, need):
    quinn, path = signed_in(cast.quinn), f"{H}/blueprints/new?need={need.pk}"
    needs.close_need(need=need, reason="Hired.", actor=cast.omar, now=acts.NOW)
    assert "This need is not open any more." in shown(quinn.get(path), 404).text
    page = told(quinn, path, {**COPY, "title": "Late"})
    assert "“Late” is a draft." in page.text
    assert "This need is not open any more." in page.text
    assert not need.answers.exists()


@pytest.mark.parametrize("wrong", ["x", "%00", "11111111-1111-4111-8111-111111111111"])
def test_a_draft_for_a_need_that_is_not_there_is_no_page(cast, wrong):
    shown(signed_in(cast.quinn).get(f"{H}/blueprints/new?need={wrong}"), 404)


# --- Comments, and declining ---


def test_a_partner_comments_on_an_element_and_the_provider_answers(cast, asked):
    omar, quinn = signed_in(cast.omar), signed_in(cast.quinn)
    element = f"outcome:{asked.document['outcomes'][0]['id']}"
    page = told(omar, f"{N}/maps/{asked.pk}/comment", {"element": element, "text": "Too <b>wide</b>."})
    assert "Too <b>wide</b>." in page.text
    assert "Waits for an answer of the provider" in page.text
    assert "1 comment waits for your answer." in shown(quinn.get("/")).text
    assert "Too <b>wide</b>." in shown(quinn.get(f"{H}/blueprints/{asked.pk}")).text
    answer = {"partner": str(cast.northwind.pk), "element": element, "text": "Narrowed."}
    page = told(quinn, f"{H}/blueprints/{asked.pk}/comment", answer)
    assert "Narrowed." in page.text
    assert "1 answer to a comment of yours." in shown(omar.get("/")).text
    assert quinn.post(f"{H}/blueprints/{asked.pk}/comment", {**answer, "element": "task:x"}).status_code == 404
    shown(omar.post(f"{N}/maps/{asked.pk}/comment", {"element": "task:nothing", "text": ""}), 422)
    assert Comment.objects.count() == 2


def test_a_partner_declines_with_a_reason_that_the_provider_reads(cast, asked):
    omar, quinn = signed_in(cast.omar), signed_in(cast.quinn)
    shown(omar.post(f"{N}/maps/{asked.pk}/decline", {"why": ""}), 422)
    page = told(omar, f"{N}/maps/{asked.pk}/decline", {"why": "It teaches another tool."})
    assert "You declined to sign it" in page.text
    assert "Declined" in shown(omar.get(f"{N}/maps")).text
    assert "could be signed" not in shown(omar.get("/")).text
    assert "It teaches another tool." in shown(quinn.get(f"{H}/blueprints/{asked.pk}")).text
    told(quinn, f"{H}/blueprints/{asked.pk}/ask", {"partner": str(cast.northwind.pk)})
    assert CoDesign.objects.get().declined_at is None


def test_a_partners_administrator_sees_no_link_that_leads_nowhere(cast):
    boss = signed_in(acts.person("boss", "Bo", cast.northwind.slug, "admin"))
    page = shown(boss.get("/"))
    links = {a["href"] for a in page.all("a") if a.get("href", "").startswith(f"{N}/")}
    assert links
    for link in sorted(links):
        assert boss.get(link).status_code == 200, link


# --- Correcting an award ---


def test_an_award_is_corrected_and_each_of_the_two_leads_to_the_other(cast, client):
    made, ana = acts.awarded(cast), signed_in(cast.ana)
    link = f"{H}/awards/{made.award.pk}"
    page = shown(ana.get(f"{link}/correct"))
    day = page.by_id("id_awarded_on")["value"]
    form = {"name": "Mei-Lin Tan", "awarded_on": day, "reason": "Misspelt.", "sure": "on"}
    page = told(ana, f"{link}/correct", form)
    assert "this award takes the place of the one before" in page.text
    new = Award.objects.get(replaces=made.award)
    assert page.by_href(link)
    assert shown(ana.get(link)).by_href(f"{H}/awards/{new.pk}")
    paper = shown(client.get(f"/verify/{made.award.pk}"))
    assert "found a mistake in it and has replaced it" in paper.text
    assert any(a.get("href", "").endswith(f"/verify/{new.pk}") for a in paper.all("a"))
    assert "Mei" not in paper.text, "neither page tells a name"
    assert "This credential holds." in shown(client.get(f"/verify/{new.pk}")).text
    assert "found a mistake" in shown(client.get(f"/claim/{made.token}")).text
    assert "is not corrected" in shown(ana.get(f"{link}/correct", follow=True)).text


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"awarded_on": "2999-01-01"}, {"reason": ""}, {"sure": ""}, {}],
    ids=lambda wrong: next(iter(wrong), "nothing"),
)
def test_a_correction_that_says_too_little_revokes_nothing(cast, wrong):
    made, ana = acts.awarded(cast), signed_in(cast.ana)
    link = f"{H}/awards/{made.award.pk}/correct"
    day = shown(ana.get(link)).by_id("id_awarded_on")["value"]
    form = {"name": "Mei Tan", "awarded_on": day, "reason": "Misspelt.", "sure": "on", **wrong}
    shown(ana.post(link, form), 422)
    made.award.refresh_from_db()
    assert made.award.state == "valid"


def test_corrected_marks_are_shown_by_their_titles_and_reasons_in_the_readers_language(cast):
    made, ana = acts.awarded(cast), signed_in(cast.ana)
    link, german = f"{H}/awards/{made.award.pk}", {"accept-language": "de"}
    assert "Er wird überprüft." in ana.get(f"{link}/suspended", headers=german).content.decode()
    page = shown(ana.get(f"{link}/correct"))
    mark = Mark.objects.select_related("submission").order_by("id")[0]
    both = Mark.objects.filter(submission=mark.submission, criterion=mark.criterion)
    criteria = [c for a in made.version.document["assessments"] for c in a["criteria"]]
    criterion = next(c for c in criteria if c["id"] == mark.criterion)
    titles = {level["id"]: level["title"] for level in criterion["levels"]}
    form = {"name": "Mei Tan", "awarded_on": page.by_id("id_awarded_on")["value"], "reason": "Misread.", "sure": "on"}
    told(ana, f"{link}/correct", form | {f"mark_{each.pk}": criterion["pass_level"] for each in both})
    assert f"{titles[mark.level]} → {titles[criterion['pass_level']]}" in shown(ana.get(link)).text
    assert f"“{criterion['title']}”, " in shown(ana.get(link)).text
    assert "das Ergebnis, auf dem er beruht, wurde berichtigt." in ana.get(link, headers=german).content.decode()


# --- The trail ---


def test_an_administrator_reads_the_trail_and_filters_it(cast, asked):
    quinn = signed_in(cast.quinn)
    page = shown(quinn.get(f"{H}/trail"))
    for said in ("drafted", "asked a partner to sign", "Quinn Abara", str(asked)):
        assert said in page.text
    page = shown(quinn.get(f"{H}/trail?kind=partners"))
    assert "asked a partner to sign" in page.text
    assert "1 step, the latest first" in page.text
    shown(quinn.get(f"{H}/trail?kind=nonsense"))
    assert quinn.post(f"{H}/trail").status_code == 405
    assert signed_in(cast.lee).get(f"{H}/trail").status_code == 403


# --- Register numbers ---


def test_a_number_is_given_looked_up_by_the_operator_and_shown_in_the_register(cast, operator, client):
    acts.publish(cast)
    quinn, root = signed_in(cast.quinn), signed_in(operator)
    shown(quinn.post(f"{H}/numbers", {"scheme": "teqsa", "number": "12"}), 422)
    page = told(quinn, f"{H}/numbers", {"scheme": "teqsa", "number": "PRV12345"})
    assert "Given, and not confirmed yet." in page.text
    assert "1 register number waits to be looked up." in shown(root.get("/")).text
    row = RegisterNumber.objects.get()
    shown(root.get(f"/numbers/{row.pk}"))
    shown(root.post(f"/numbers/{row.pk}", {"found": "yes", "saw": ""}), 422)
    page = told(root, f"/numbers/{row.pk}", {"found": "yes", "saw": "The national register, page PRV12345."})
    assert "Nothing waits to be looked up." in page.text
    assert "The national register, page PRV12345." in shown(quinn.get(f"{H}/people")).text
    assert "TEQSA PRV12345, found in the register" in shown(client.get("/register")).text
    row.refresh_from_db()
    assert (row.looked_by, row.state) == ("Olu Operator", "found")


class FakeRegister:
    name = "ROR"
    answer = None

    def look_up(self, number):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Listed("Harbour University", "https://ror.org/03yrm5c26", True), "The register lists it"),
        (Listed("Other", "https://ror.org/03yrm5c26", True), "A named person has to look."),
        (None, "lists no organisation"),
        (OutsideFailure("ror.org did not answer"), "ask again later"),
    ],
    ids=["found", "other name", "nothing", "down"],
)
def test_a_register_that_can_be_asked_is_asked_at_once(cast, monkeypatch, answer, says):
    register = FakeRegister()
    register.answer = answer
    monkeypatch.setattr("guildmark.app.web.numbers.number_register", lambda scheme: register)
    quinn = signed_in(cast.quinn)
    assert says in told(quinn, f"{H}/numbers", {"scheme": "ror", "number": "https://ror.org/03yrm5c26"}).text
    row = RegisterNumber.objects.get()
    assert says in told(quinn, f"{H}/numbers/{row.pk}/ask").text


# --- Mallory, and everybody in the wrong place ---


def doors(cast, need, asked):
    row = numbers.claim_number(
        id=uuid4(), organisation=cast.harbour, scheme="teqsa", number="PRV12345", actor=cast.quinn, now=acts.NOW
    )
    gets = [f"{N}/needs", f"{N}/needs/new", f"{N}/needs/{need.pk}", f"{H}/open-needs", f"{H}/open-needs/{need.pk}",
            f"{H}/trail", f"{N}/trail", f"{H}/numbers"]  # fmt: skip
    posts = [
        (f"{N}/needs/new", NEED),
        (f"{N}/needs/{need.pk}/close", {"reason": "Mine."}),
        (f"{H}/open-needs/{need.pk}", {"draft": str(asked.pk)}),
        (f"{N}/maps/{asked.pk}/comment", {"element": "", "text": "Mine."}),
        (f"{N}/maps/{asked.pk}/decline", {"why": "Mine."}),
        (f"{H}/blueprints/{asked.pk}/comment", {"partner": str(cast.northwind.pk), "element": "", "text": "Mine."}),
        (f"{H}/numbers", {"scheme": "teqsa", "number": "PRV54321"}),
        (f"{H}/numbers/{row.pk}/ask", {}),
    ]
    return [("get", path, {}) for path in gets] + [("post", path, data) for path, data in posts], row


def test_mallory_gets_nothing(cast, need, asked):
    found, row = doors(cast, need, asked)
    before, client = Event.objects.count(), signed_in(cast.mallory)
    for method, path, data in found:
        assert getattr(client, method)(path, data).status_code == 404, (method, path)
    for path in ("/numbers", f"/numbers/{row.pk}"):
        assert client.get(path).status_code == 403
    assert client.post(f"/numbers/{row.pk}", {"found": "yes", "saw": "Me."}).status_code == 403
    assert client.get(f"/o/mill/open-needs/{uuid4()}").status_code == 404
    assert client.post(f"/o/mill/open-needs/{need.pk}", {"draft": str(asked.pk)}).status_code == 422
    assert client.post(f"/o/mill/numbers/{row.pk}/ask").status_code == 404
    assert Event.objects.count() == before


def test_a_stranger_is_asked_to_sign_in_and_a_forged_form_is_refused(cast, need, asked, client):
    found, row = doors(cast, need, asked)
    for method, path, data in [*found, ("get", "/numbers", {}), ("get", f"/numbers/{row.pk}", {})]:
        response = getattr(client, method)(path, data)
        assert response.status_code == 302, (method, path)
        assert response.url.startswith("/account/login")
    for person in (cast.omar, cast.quinn):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        for method, path, data in found:
            assert method == "get" or strict.post(path, data).status_code == 403


def test_roles_and_methods_are_held(cast, need, asked):
    found, _row = doors(cast, need, asked)
    boss = signed_in(acts.person("boss", "Bo", cast.northwind.slug, "admin"))
    lee = signed_in(cast.lee)
    for method, path, data in found:
        if method == "post" and path.startswith(N):
            assert boss.post(path, data).status_code == 403, path
        if method == "post" and path.startswith(H):
            assert lee.post(path, data).status_code == 403, path
    for path in (f"{N}/needs/{need.pk}/close", f"{N}/maps/{asked.pk}/decline", f"{N}/maps/{asked.pk}/comment"):
        assert signed_in(cast.omar).get(path).status_code == 405
    assert signed_in(cast.quinn).get(f"{H}/blueprints/{asked.pk}/comment").status_code == 405
    assert signed_in(cast.omar).get(f"{N}/needs/{uuid4()}").status_code == 404
    assert signed_in(cast.omar).get(f"{N}/open-needs").status_code == 404
    assert signed_in(cast.quinn).get(f"{H}/needs").status_code == 404


# --- Renewed and issued anew ---


@pytest.fixture
def ending(cast):
    version = acts.publish(cast, {**acts.sample(), "validity_months": 24})
    return acts.award(cast, acts.decide(cast, version))


@pytest.mark.parametrize(
    ("way", "form", "says"),
    [
        ("renew", {}, "It was renewed: a newer credential takes its place."),
        ("reissue", {"code": "reissued"}, "Its issuer has issued it anew: a newer credential takes its place."),
    ],
)
def test_a_newer_award_takes_the_place_and_every_page_says_so(cast, client, ending, way, form, says):
    (award, token), ana = ending, signed_in(cast.ana)
    link = f"{H}/awards/{award.pk}"
    assert shown(ana.get(link)).by_href(f"{link}/{way}")
    page = told(ana, f"{link}/{way}", {"sure": "on", **form})
    assert "This award takes the place of the one before, and the learner is told." in page.text
    assert page.by_href(link)
    new = Award.objects.get(replaces=award)
    assert shown(ana.get(link)).by_href(f"{H}/awards/{new.pk}")
    for old in (f"/verify/{award.pk}", f"/claim/{token}"):
        page = shown(client.get(old))
        assert says in page.text
        assert any(a.get("href", "").endswith(f"/verify/{new.pk}") for a in page.all("a"))
        assert f"urn:uuid:{new.pk}" in page.text
    page = shown(client.get(f"/verify/{new.pk}"))
    assert "It takes the place of an earlier credential; use this one." in page.text
    assert f"urn:uuid:{award.pk}" in page.text


@pytest.mark.parametrize(
    ("way", "form"), [("renew", {}), ("reissue", {"code": "reissued"}), ("reissue", {"sure": "on"})]
)
def test_nothing_is_replaced_by_a_form_that_says_too_little(cast, ending, way, form):
    shown(signed_in(cast.ana).post(f"{H}/awards/{ending[0].pk}/{way}", form), 422)
    ending[0].refresh_from_db()
    assert ending[0].state == "valid"


def test_why_it_cannot_be_replaced_stands_on_the_form(cast, ending):
    form = {"sure": "on", "code": "key_compromised"}
    page = shown(signed_in(cast.ana).post(f"{H}/awards/{ending[0].pk}/reissue", form), 422)
    assert "make a new one first" in page.text


@pytest.mark.parametrize("way", ["renew", "reissue"])
def test_mallory_replaces_nothing(cast, ending, way):
    answer = signed_in(cast.mallory).post(f"{H}/awards/{ending[0].pk}/{way}", {"sure": "on", "code": "reissued"})
    assert answer.status_code in (403, 404)
    assert Award.objects.count() == 1


def test_a_revocation_by_hand_offers_no_reason_that_speaks_of_another(cast, ending):
    page = shown(signed_in(cast.ana).get(f"{H}/awards/{ending[0].pk}/revoked"))
    offered = {i.get("value") for i in page.all("input") if i.get("name") == "code"}
    assert "misconduct" in offered
    assert not offered & {"corrected", "renewed", "reissued"}
