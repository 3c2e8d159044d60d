"""The neighbours of the demo: four more providers, six partners and eighteen learners, in every state there is.

They are told through the same services as the story, at moments of the last year, so that something waits for
everybody who signs in. Who they are and what they teach stands in neighbours.toml; all of it is invented.
"""

from __future__ import annotations

import json
import secrets
import tomllib
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import uuid4

import click

MEDICINES, CARE_PLANS, INFECTION = "medicines", "care-plans", "infection"
SERVICES, OPERATE = "services", "operate"
LENDING, CLEAN_MONEY = "lending", "clean-money"
SCREENS, WORDS = "screens", "words"
FORECASTING, INCIDENT = "forecasting", "incident"

LEVELS = (("not-yet", "Not yet", 0), ("proficient", "Proficient", 2), ("excellent", "Excellent", 3))
"""The levels of every rubric here, as (id, title, points); the middle one passes."""

GOOD, PLAIN, WEAK = (2, 1), (1, 1), (0, 0)
"""How a marker marks: the levels that the first and every second criterion get."""

JUDGED = {
    "GM-9": "Read against a week's work at the partner; these are the tasks that people are hired for.",
    "EU-M11": "Type and agency are stated; looked up in the register (an invented entry in this demo).",
    "EU-R2": "Every criterion shows its levels in words that a learner can read before starting.",
}
"""What the invented people say about rules that data cannot decide."""

RULES_SINCE = datetime(2026, 1, 2, tzinfo=UTC)
"""guildmark's own rules are in force since the day before; nothing could be published earlier."""

WORK = """# {title}

This file stands for a learner's work in the demo. It is invented, and says so.
Learner: {who}
"""


@cache
def facts() -> dict[str, Any]:
    """What neighbours.toml says."""
    return tomllib.loads(files("guildmark.cli.demo").joinpath("neighbours.toml").read_text(encoding="utf-8"))


def course(key: str) -> dict[str, Any]:
    """The course as neighbours.toml has it."""
    found: dict[str, Any] = next(c for c in facts()["course"] if c["key"] == key)
    return found


def blueprint_of(key: str) -> dict[str, Any]:
    """The whole blueprint that a course of neighbours.toml stands for, as plain JSON."""
    from guildmark.skills.load import builtin_framework

    said = course(key)
    country = {o["slug"]: o["country"] for o in facts()["organisation"]}.get(said["provider"])
    country = country or {"harbour-university": "AU", "rhein-academy": "DE"}[said["provider"]]
    here = f"https://demo.guildmark.example/issuers/{said['provider']}"
    skills = {skill.label: skill for skill in builtin_framework().skills.values()}
    hours = sum(outcome[2] for outcome in said["outcomes"])
    assessments = [_assessment(said, assessment) for assessment in said["assessments"]]
    partner, says = said["need"]
    return {
        "id": f"urn:uuid:6f6d1c52-9b1e-4c5e-8d57-0a3f6c1b7e{said['number']}",
        "version": 1,
        "title": said["title"],
        "description": said["description"],
        "purpose": said["purpose"],
        "language": "en",
        "country": country,
        "provider_id": f"did:web:demo.guildmark.example:issuers:{said['provider']}",
        "level": said["level"],
        "hours": hours,
        "credit": {
            "value": said["ects"],
            "unit": "ECTS",
            "basis": f"{hours} notional hours at 25 to 30 hours for one ECTS credit.",
        },
        "outcomes": [
            {
                "id": id,
                "statement": statement,
                "level": said["level"],
                "hours": hours_of_it,
                "kind": kind,
                "alignments": [
                    {
                        "uri": skills[label].uri,
                        "label": label,
                        "framework": "guildmark starter skills",
                        "code": skills[label].codes["esco"],
                    }
                    for label in labels
                ],
            }
            for id, statement, hours_of_it, kind, labels in said["outcomes"]
        ],
        "tasks": [
            {"id": id, "statement": statement, "source": f"Interview at {partner} (invented for this demo)"}
            for id, statement, _ in said["tasks"]
        ],
        "assessments": assessments,
        "task_map": [
            {"task": task, "outcome": outcome, "assessment": assessment["id"]}
            for task, _, outcome in said["tasks"]
            for assessment in assessments
            if outcome in assessment["outcomes"]
        ],
        "award_rule": {"pass_mark": 60, "each_outcome": True, "min_markers": 2, "tolerance": 1},
        "delivery_mode": "online",
        "synchrony": "asynchronous",
        "location": "none",
        "duration": f"P{said['weeks']}W",
        "prerequisites": "none",
        "cost": said["cost"],
        "field": {"scheme": "ISCED-F", "code": said["field"]},
        "validity_months": said["validity"],
        "review_months": 12,
        "stackability": "stackable_integrated",
        "supervision": "At least one assessment is supervised with identity verified."
        if any(a["secure"] for a in assessments)
        else "None of the assessments is supervised.",
        "quality_assurance": {
            "type": "institutional accreditation",
            "agency": "a national quality agency (invented for this demo)",
            "register": "none",
        },
        "credit_recognition": "Counts towards the provider's own programmes; elsewhere on application.",
        "industry_recognition": "Endorsed by industry partners; see the endorsements.",
        "appeals_url": f"{here}/appeals",
        "further_info_url": f"{here}/courses",
        "image_colour": said["colour"],
        "evidence_of_need": [
            {
                "party": partner,
                "role": "employer",
                "kind": "interview",
                "statement": f"{says} (Invented for this demo.)",
                "date": "2026-03-02",
                "commitment": "staff release",
            },
            {
                "party": "Job ads",
                "role": "labour market",
                "kind": "demand",
                "statement": "See the demand that is frozen into this blueprint.",
                "date": "2026-11-24",
            },
        ],
    }


def _assessment(said: dict[str, Any], assessment: dict[str, Any]) -> dict[str, Any]:
    criteria = [
        {
            "id": id,
            "title": title,
            "outcome": outcome,
            "levels": [
                {"id": level, "title": name, "descriptor": descriptor, "points": points}
                for (level, name, points), descriptor in zip(LEVELS, seen, strict=True)
            ],
            "pass_level": LEVELS[1][0],
        }
        for id, title, outcome, *seen in assessment["criteria"]
    ]
    return {
        "id": assessment["id"],
        "title": assessment["title"],
        "type": assessment["type"],
        "weight": 1 / len(said["assessments"]),
        "outcomes": list(dict.fromkeys(c["outcome"] for c in criteria)),
        "secure": assessment["secure"],
        "supervision": "supervised_with_id" if assessment["secure"] else "unsupervised_no_id",
        "criteria": criteria,
    }


class Neighbours:
    """Tells what the neighbours did, once the story's own providers and their framework and demand are there."""

    def __init__(self, *, framework: str, demand: dict[str, str]) -> None:
        self.now = datetime.now(UTC)
        self.framework = framework
        self.demand = dict(demand)
        """query -> id of the demand that was measured for it"""
        self.versions: dict[str, Any] = {}
        self.offerings: dict[str, Any] = {}
        self.awards: dict[tuple[str, str], Any] = {}

    def tell(self) -> None:
        """Everybody and everything, in the order in which it happened to each of them."""
        from django.db import transaction

        for part in (
            self.arrive,
            self.needs,
            self.healthcare,
            self.technology,
            self.finance,
            self.creative,
            self.at_home,
            self.hiring,
        ):
            click.echo(f"    - {(part.__doc__ or '').splitlines()[0]}")
            with transaction.atomic():  # what would be hundreds of writes to the disk is one
                part()

    def ago(self, days: float) -> datetime:
        """So many days before now, and never before the rulebooks are in force."""
        return min(self.now, max(self.now - timedelta(days=days), RULES_SINCE)) if days > 0 else self.now

    def who(self, username: str) -> Any:
        from guildmark.app.queries.organisations import person

        return person(username)

    def organisation(self, slug: str) -> Any:
        from guildmark.app.queries.organisations import organisation

        return organisation(slug)

    # -- the parts ----------------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        """Four providers, six partners, their people, and learners with accounts; a school that nobody has checked."""
        from guildmark.app.records import Learner
        from guildmark.app.services.people import (
            add_learner,
            add_person,
            create_key,
            default_did,
            found_organisation,
            link_learner,
            register_organisation,
        )

        for said in facts()["organisation"]:
            row = register_organisation(
                id=uuid4(),
                slug=said["slug"],
                name=said["name"],
                kind=said["kind"],
                did=default_did(said["kind"], said["slug"]),
                country=said["country"],
                facts=PROVIDER_FACTS if said["kind"] == "provider" else {},
                now=self.ago(330),
            )
            create_key(organisation=row, entropy=secrets.token_bytes(32), now=self.ago(330))
        for username, (name, slug, *roles) in facts()["people"].items():
            email = f"{username}@{slug}.example.org"
            pairs = [(slug, role) for role in roles]
            add_person(id=uuid4(), username=username, name=name, email=email, roles=pairs, now=self.ago(330))
        for email, name in facts()["learners"].items():
            add_learner(id=uuid4(), name=name, email=email, now=self.ago(325))
        for learner in Learner.objects.filter(person=None).order_by("email"):
            name = learner.email.split(".")[0]
            person = add_person(
                id=uuid4(), username=name, name=learner.name, email=learner.email, roles=[], now=self.now
            )
            link_learner(person=person, email=learner.email, now=self.now)
        lucia = add_person(
            id=uuid4(),
            username="lucia",
            name="Lucía Fernández",
            email="lucia@pampa.example.org",
            roles=[],
            now=self.now,
        )
        found_organisation(
            id=uuid4(),
            name="Pampa Welding School",
            slug="pampa-welding-school",
            kind="provider",
            country="AR",
            entropy=secrets.token_bytes(32),
            actor=lucia,
            now=self.now,
        )

    def needs(self) -> None:
        """Job ads of four sectors, of our own writing, and the demand of each sector."""
        from guildmark.app.services.skills import extract_mentions, ingest_ads, refresh_demand
        from guildmark.skills.ads import parse_ads

        name = "neighbour-ads.jsonl"
        text = files("guildmark.cli.demo").joinpath(name).read_text(encoding="utf-8")
        ingest_ads(path=None, read=parse_ads(text, where=name), now=self.now)
        extract_mentions(framework_id=self.framework, now=self.now)
        for query in sorted({said["query"] for said in facts()["course"]} - self.demand.keys()):
            measured = self.ago(328)
            snapshot = refresh_demand(
                id=uuid4(), framework_id=self.framework, query=query, on=measured.date(), now=measured
            )
            self.demand[query] = str(snapshot.id)

    def healthcare(self) -> None:
        """Healthcare: two courses that make a certificate, a third that could be published today."""
        designer, admin = "solveig", "henrik"
        self.publish(MEDICINES, designer, admin, signed={"fjordside-hospital-trust": "lars"}, days=325)
        self.publish(
            CARE_PLANS,
            designer,
            admin,
            signed={"elderbank-homes": "moana", "fjordside-hospital-trust": "lars"},
            days=300,
        )
        self.offer(MEDICINES, designer, "first run", opened=310, days=60)
        self.take("sigrun.jonsdottir@example.org", MEDICINES, 308, "claimed")
        self.offer(MEDICINES, designer, "open all year", opened=240)
        self.offer(CARE_PLANS, designer, "open all year", opened=280)
        self.offer(CARE_PLANS, designer, "evening group", opened=-21, days=60, keep=False)
        self.take("aroha.ngata@example.org", MEDICINES, 150, "claimed", GOOD, GOOD)
        self.take("thiago.moura@example.org", MEDICINES, 110, "claimed")
        self.take("aroha.ngata@example.org", CARE_PLANS, 120, "claimed", GOOD, PLAIN)
        self.take("zeynep.kaya@example.org", CARE_PLANS, 60, "decided", WEAK, WEAK)
        self.take("fatima.elidrissi@example.org", MEDICINES, 40, "awarded")
        self.take("paola.ricci@example.org", CARE_PLANS, 30, "decided")
        self.take("thiago.moura@example.org", CARE_PLANS, 9, "learning")
        self.take("linh.nguyen@example.org", MEDICINES, 12, "handed in")
        self.take("sigrun.jonsdottir@example.org", MEDICINES, 3, "enrolled")
        self.stack()
        version = self.draft(INFECTION, designer, days=30)
        self.ask(version, designer, "fjordside-hospital-trust", "elderbank-homes", days=28)
        self.sign(version, "fjordside-hospital-trust", "lars", days=20)
        self.gate(version, INFECTION, designer, admin, days=10)

    def stack(self) -> None:
        """Who has both courses has the certificate; who has one sees what is missing."""
        from guildmark.app.queries.organisations import learner
        from guildmark.app.services.pathways import add_stack_rule, claim_stack

        text = files("guildmark.cli.demo").joinpath("care-team-member.toml").read_text(encoding="utf-8")
        owner = self.organisation("nordlys-health-college")
        rule = add_stack_rule(text=text, owner=owner, actor=self.who("henrik"), now=self.ago(290))
        for email in ("aroha.ngata@example.org", "thiago.moura@example.org"):
            claim = claim_stack(
                id=uuid4(),
                rule=rule,
                learner=learner(email),
                entropy=secrets.token_bytes,
                actor=self.who("astrid"),
                now=self.ago(30),
            )
            if claim.award is not None:
                self.awards[email, rule.id] = claim.award

    def technology(self) -> None:
        """Technology: a course whose second version took the place of its first, and one that waits for a signature."""
        meera = "meera"
        partner = {"lanternfish-analytics": "katarina"}
        self.publish(SERVICES, meera, meera, signed=partner, days=315)
        self.offer(SERVICES, meera, "first run", opened=300, days=150)
        self.take("tomasz.zielinski@example.org", SERVICES, 290, "claimed", GOOD, GOOD)
        changed = blueprint_of(SERVICES)
        changed["outcomes"][1]["statement"] = (
            "Find and close the common holes of a web service and of what it depends on, and say which are left."
        )
        self.publish(SERVICES, meera, meera, signed=partner, days=120, document=changed)
        self.offer(SERVICES, meera, "open all year", opened=100)
        self.take("ananya.iyer@example.org", SERVICES, 90, "claimed", GOOD, GOOD)
        self.take("mateo.quispe@example.org", SERVICES, 25, "marked", GOOD, WEAK)
        self.take("amir.rahimi@example.org", SERVICES, 2, "enrolled")
        self.take("sigrun.jonsdottir@example.org", SERVICES, 18, "awarded")
        version = self.draft(OPERATE, meera, days=14)
        self.ask(version, meera, "lanternfish-analytics", days=12)

    def finance(self) -> None:
        """Finance: a course with a revoked credential, and one that the quality gate sent back."""
        amina = "amina"
        self.publish(LENDING, amina, amina, signed={"baobab-community-bank": "wairimu"}, days=320)
        self.offer(LENDING, amina, "open all year", opened=300)
        self.take("kwame.mensah@example.org", LENDING, 180, "claimed", GOOD, GOOD)
        self.take("chidi.nwosu@example.org", LENDING, 140, "claimed")
        self.take("nyambura.kamau@example.org", LENDING, 30, "decided", GOOD, PLAIN)
        self.take("paola.ricci@example.org", LENDING, 6, "learning")
        self.take("thiago.moura@example.org", LENDING, 20, "handed in")
        self.status("chidi.nwosu@example.org", LENDING, "revoked", "issued_in_error", by="juma", days=60)
        version = self.draft(CLEAN_MONEY, amina, days=25)
        self.ask(version, amina, "baobab-community-bank", "harlequin-mutual", days=20)
        self.review(version, CLEAN_MONEY, amina, days=15)

    def creative(self) -> None:
        """Creative work: a course with a suspended credential, and one whose signature a change made void."""
        from guildmark.app.services.design import revise_draft

        beatriz = "beatriz"
        self.publish(SCREENS, beatriz, beatriz, signed={"mare-studio": "joao"}, days=280)
        self.offer(SCREENS, beatriz, "open all year", opened=260)
        self.offer(SCREENS, beatriz, "summer studio", opened=-45, days=30, keep=False)
        self.take("yuki.tanaka@example.org", SCREENS, 150, "claimed", GOOD, GOOD)
        self.take("leila.haddadi@example.org", SCREENS, 110, "claimed")
        self.take("sione.taufa@example.org", SCREENS, 30, "decided", GOOD, GOOD)
        self.take("chloe.lefevre@example.org", SCREENS, 16, "one mark", GOOD)
        self.take("aroha.ngata@example.org", SCREENS, 5, "learning")
        self.status("leila.haddadi@example.org", SCREENS, "suspended", "integrity_inquiry", by="clara", days=20)
        version = self.draft(WORDS, beatriz, days=40)
        self.ask(version, beatriz, "mare-studio", "fjordside-hospital-trust", days=38)
        self.sign(version, "mare-studio", "joao", days=30)
        changed = blueprint_of(WORDS)
        changed["outcomes"][0]["statement"] = "Write and proofread texts for a screen in plain language, by yourself."
        revise_draft(version=version, document=json.dumps(changed).encode(), actor=self.who(beatriz), now=self.ago(8))

    def at_home(self) -> None:
        """The story's own two providers: new drafts, work to mark, a decision to make."""
        from guildmark.app.records import Offering

        forecasting = self.draft(FORECASTING, "dana", days=0)
        self.ask(forecasting, "dana", "northwind-logistics", days=0)
        self.draft(INCIDENT, "jonas", days=0)
        own = {"Data storytelling and dashboards": "harbour", "Data protection in practice": "rhein"}
        for offering in Offering.objects.filter(blueprint_version__title__in=own).order_by("title"):
            self.offerings[own[offering.blueprint_version.title]] = offering
        self.take("sione.taufa@example.org", "harbour", 0, "handed in")
        self.take("chloe.lefevre@example.org", "harbour", 0, "marked", PLAIN, PLAIN)
        self.take("amir.rahimi@example.org", "rhein", 0, "marked", PLAIN, PLAIN)
        self.take("zeynep.kaya@example.org", "rhein", 0, "handed in")

    def hiring(self) -> None:
        """Consents given and withdrawn, people ranked for jobs, decisions of people, outcomes, a link to share."""
        from guildmark.app.queries.organisations import learner
        from guildmark.app.services.people import give_consent, withdraw_consent
        from guildmark.app.services.sharing import share_award

        for name in ("aroha.ngata", "thiago.moura", "kwame.mensah", "ananya.iyer", "tomasz.zielinski", "yuki.tanaka"):
            give_consent(learner=learner(f"{name}@example.org"), purpose="matching", now=self.ago(28))
        for name in ("aroha.ngata", "kwame.mensah", "tomasz.zielinski"):
            give_consent(learner=learner(f"{name}@example.org"), purpose="outcomes", now=self.ago(28))
        self.rank(
            "Care assistant with medicines round", "elderbank-homes", "moana", "aroha.ngata@example.org", "invite"
        )
        self.rank("Credit analyst", "baobab-community-bank", "wairimu", "kwame.mensah@example.org", "invite")
        self.rank(
            "Backend developer, booking platform",
            "lanternfish-analytics",
            "katarina",
            "tomasz.zielinski@example.org",
            "decline",
        )
        self.rank("Interface designer", "mare-studio", "joao", "yuki.tanaka@example.org", "invite")
        withdraw_consent(learner=learner("yuki.tanaka@example.org"), purpose="matching", now=self.ago(3))
        self.outcome("aroha.ngata@example.org", MEDICINES, "hired", 4, "elderbank-homes", "moana")
        self.outcome("kwame.mensah@example.org", LENDING, "hired", 5, "baobab-community-bank", "wairimu")
        self.outcome("tomasz.zielinski@example.org", SERVICES, "interviewed", 4, "lanternfish-analytics", "katarina")
        share_award(
            id=uuid4(),
            award=self.awards["aroha.ngata@example.org", CARE_PLANS],
            days=30,
            entropy=secrets.token_bytes(24),
            actor=self.who("aroha"),
            now=self.ago(2),
        )

    # -- what each part is made of ------------------------------------------------------------------------------------

    def draft(self, key: str, designer: str, *, days: float, document: dict[str, Any] | None = None) -> Any:
        """The course is a draft of its provider, with the demand of its sector."""
        from guildmark.app.queries.organisations import demand_snapshot
        from guildmark.app.services.design import draft_blueprint

        said = course(key)
        self.versions[key] = draft_blueprint(
            id=uuid4(),
            document=json.dumps(document or blueprint_of(key)).encode(),
            provider=self.organisation(said["provider"]),
            demand=demand_snapshot(self.demand[said["query"]]),
            actor=self.who(designer),
            now=self.ago(days),
        )
        return self.versions[key]

    def ask(self, version: Any, designer: str, *partners: str, days: float) -> None:
        from guildmark.app.services.design import ask_partner

        for slug in partners:
            ask_partner(version=version, partner=self.organisation(slug), actor=self.who(designer), now=self.ago(days))

    def sign(self, version: Any, partner: str, username: str, *, days: float) -> None:
        from guildmark.app.services.design import endorse

        endorse(
            id=uuid4(),
            version=version,
            partner=self.organisation(partner),
            scope="whole",
            claim="This is the work we hire for, and we would talk to anybody who has shown it. (Invented.)",
            valid_until=None,
            actor=self.who(username),
            now=self.ago(days),
        )

    def review(self, version: Any, key: str, by: str, *, days: float) -> Any:
        """What the quality gate says to the version."""
        from guildmark.app.services.design import submit_for_review

        books = tuple(course(key)["rulebooks"])
        _, report = submit_for_review(
            id=uuid4(), version=version, rulebooks=books, actor=self.who(by), now=self.ago(days)
        )
        return report

    def gate(self, version: Any, key: str, designer: str, judge_by: str, *, days: float) -> None:
        """A person has judged what data cannot decide, and the gate is open."""
        from guildmark.app.services.design import judge
        from guildmark.core.report import Verdict

        for finding in self.review(version, key, designer, days=days).unknown():
            if finding.id in JUDGED:
                judge(
                    version=version,
                    rule_id=finding.id,
                    verdict=Verdict.PASS,
                    reason=JUDGED[finding.id],
                    actor=self.who(judge_by),
                    now=self.ago(days - 1),
                )
        report = self.review(version, key, designer, days=days - 2)
        if report.verdict is not Verdict.PASS:
            raise RuntimeError(
                f"the gate should be open to {version}: {[f.says for f in (*report.failed(), *report.unknown())]}"
            )

    def publish(
        self,
        key: str,
        designer: str,
        admin: str,
        *,
        signed: dict[str, str],
        days: float,
        document: dict[str, Any] | None = None,
    ) -> None:
        """Drafted, asked, signed, judged, gated and published within three weeks."""
        from guildmark.app.services.design import publish_blueprint

        version = self.draft(key, designer, days=days, document=document)
        self.ask(version, designer, *signed, days=days - 2)
        for slug, username in signed.items():
            self.sign(version, slug, username, days=days - 8)
        self.gate(version, key, designer, admin, days=days - 10)
        self.versions[key] = publish_blueprint(version=version, actor=self.who(admin), now=self.ago(days - 14))

    def offer(
        self, key: str, designer: str, run: str, *, opened: float, days: int | None = None, keep: bool = True
    ) -> None:
        """The course can be taken from `opened` days ago, for `days` days or for good."""
        from guildmark.app.services.assess import open_offering
        from guildmark.assess.delivery import Activity

        version = self.versions[key]
        opens = (self.now - timedelta(days=opened)).date()
        offering = open_offering(
            id=uuid4(),
            version=version,
            title=f"{version.title}: {run}",
            opens_on=opens,
            closes_on=opens + timedelta(days=days) if days is not None else None,
            activities=[
                Activity("start", "Read the brief and the job tasks behind it", "text", 40),
                Activity("watch", "Watch two people at this work", "media", 35),
                Activity("practice", "Practise on the examples", "practice", 300),
            ],
            actor=self.who(designer),
            now=self.ago(max(opened, 0.3)),
        )
        if keep:
            self.offerings[key] = offering

    def take(self, email: str, key: str, days: float, until: str, *grades: tuple[int, int]) -> None:
        """The learner takes the course, enrolled so many days ago, and is now where `until` says.

        One of: enrolled, learning, handed in, one mark, marked, decided, awarded, claimed. `grades` is how the first
        and the second marker see the work.
        """
        from guildmark.app.queries.organisations import learner
        from guildmark.app.services import assess

        steps = ("enrolled", "learning", "handed in", "one mark", "marked", "decided", "awarded", "claimed")
        reached = steps.index(until)

        def moment(step: int) -> datetime:
            """The steps stand evenly between the enrolment and at most two weeks later."""
            return self.ago(days - min(days * 0.9, 14) * step / len(steps))

        offering = self.offerings[key]
        enrolment = assess.enrol(id=uuid4(), offering=offering, learner=learner(email), now=moment(0))
        keys = list(offering.activities.order_by("id").values_list("key", flat=True))
        for activity in keys[: [0, 1][reached] if reached < 2 else None]:
            assess.complete_activity(enrolment=enrolment, key=activity, now=moment(1))
        if reached >= 2:
            submissions = self.hand_in(enrolment, email, moment(2))
            markers = self.staff(offering, "marker")
            grades = grades or (PLAIN, PLAIN)
            for number in range(min(reached - 2, 2)):
                for submission in submissions:
                    self.mark(submission, markers[number], grades[number], moment(3 + number))
        if reached >= 5:
            self.settle(enrolment, email, key, reached, moment)

    def settle(self, enrolment: Any, email: str, key: str, reached: int, moment: Any) -> None:
        """Decided, and awarded and taken as far as `reached` says."""
        from guildmark.app.services.assess import record_result
        from guildmark.app.services.awards import award_credential, claim_award

        by = self.who(self.staff(enrolment.offering, "awarder")[0])
        decision, value = record_result(id=uuid4(), enrolment=enrolment, actor=by, now=moment(5))
        if reached >= 6:
            if not value.passed:
                raise RuntimeError(f"{email} should have passed {key}")
            award, _ = award_credential(
                id=uuid4(), decision=decision, entropy=secrets.token_bytes, actor=by, now=moment(6)
            )
            self.awards[email, key] = claim_award(award=award, now=moment(7)) if reached >= 7 else award

    def staff(self, offering: Any, role: str) -> list[str]:
        """The usernames of the provider's people with this role, in order."""
        members = offering.blueprint_version.provider.memberships.filter(role=role)
        return list(members.order_by("person__username").values_list("person__username", flat=True))

    def hand_in(self, enrolment: Any, email: str, now: datetime) -> list[Any]:
        from guildmark.app.services.assess import submit_work

        return [
            submit_work(
                id=uuid4(),
                enrolment=enrolment,
                assessment=assessment["id"],
                title=assessment["title"],
                media_type="text/markdown",
                body=WORK.format(title=assessment["title"], who=email.split("@")[0]).encode(),
                now=now,
            )
            for assessment in enrolment.offering.blueprint_version.document["assessments"]
        ]

    def mark(self, submission: Any, marker: str, grade: tuple[int, int], now: datetime) -> None:
        """Every criterion of the submission has this marker's mark."""
        from guildmark.app.services.assess import mark_work

        document = submission.enrolment.offering.blueprint_version.document
        assessment = next(a for a in document["assessments"] if a["id"] == submission.assessment)
        marks = {}
        for number, criterion in enumerate(assessment["criteria"]):
            passing = next(n for n, row in enumerate(criterion["levels"]) if row["id"] == criterion["pass_level"])
            wanted = grade[number % 2]
            level = criterion["levels"][0 if wanted == 0 else passing + wanted - 1]
            marks[criterion["id"]] = (level["id"], f"As the rubric says: {level['descriptor']}")
        mark_work(submission=submission, levels=marks, marker=self.who(marker), now=now)

    def status(self, email: str, key: str, state: str, code: str, *, by: str, days: float) -> None:
        from guildmark.app.services.awards import change_status

        change_status(
            award=self.awards[email, key],
            state=state,
            code=code,
            note="Invented for this demo.",
            entropy=secrets.token_bytes,
            actor=self.who(by),
            now=self.ago(days),
        )

    def rank(self, title: str, employer: str, by: str, email: str, decision: str) -> None:
        """People are ranked for the ad with this title, and a person decides about one of them."""
        from guildmark.app.queries.organisations import learner
        from guildmark.app.records import JobAd
        from guildmark.app.services.pathways import decide_match, rank_candidates

        reason = {
            "invite": "Verified skills for most of the work; the rest is learnt here.",
            "decline": "Writes services well; this place needs somebody with databases first.",
        }
        run = rank_candidates(
            id=uuid4(),
            ad=JobAd.objects.get(id__startswith="guildmark-neighbour-ad-", title=title),
            framework_id=self.framework,
            employer=self.organisation(employer),
            actor=self.who(by),
            now=self.ago(5),
        )
        decide_match(
            run=run,
            learner=learner(email),
            decision=decision,
            reason=reason[decision],
            actor=self.who(by),
            now=self.ago(4),
        )

    def outcome(self, email: str, key: str, kind: str, rating: int, employer: str, by: str) -> None:
        from guildmark.app.services.feedback import record_destination

        record_destination(
            id=uuid4(),
            award=self.awards[email, key],
            kind=kind,
            rating=rating,
            employer=self.organisation(employer),
            actor=self.who(by),
            now=self.ago(1),
        )


PROVIDER_FACTS = {
    "regulated": True,
    "register": "a national register (invented entry for this demo)",
    "register_status": "registered",
    "qa_type": "institutional accreditation",
    "qa_agency": "a national quality agency (invented for this demo)",
}
