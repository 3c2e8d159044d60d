"""The eleven steps of the demo, in order."""

from __future__ import annotations

import json
import os
import shlex
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from guildmark.cli import cli
from guildmark.core.codecs import parse_json
from guildmark.core.errors import GuildmarkError

HARBOUR, RHEIN, NORTHWIND = "harbour-university", "rhein-academy", "northwind-logistics"

PROVIDER_FACTS = {
    HARBOUR: {
        "regulated": True,
        "register": "National Register (invented entry for this demo)",
        "register_status": "registered",
        "qa_type": "external review",
        "qa_agency": "a national quality agency (invented for this demo)",
    },
    RHEIN: {
        "regulated": True,
        "register": "state register (invented entry for this demo)",
        "register_status": "registered",
        "qa_type": "institutional accreditation",
        "qa_agency": "an accreditation council (invented for this demo)",
    },
}

PEOPLE = [
    ("dana", "Dana Whitfield", [f"{HARBOUR}=designer"]),
    ("quinn", "Quinn Abara", [f"{HARBOUR}=admin"]),
    ("lee", "Lee Marsh", [f"{HARBOUR}=marker"]),
    ("priya", "Priya Nair", [f"{HARBOUR}=marker"]),
    ("ana", "Ana Ruiz", [f"{HARBOUR}=awarder"]),
    ("jonas", "Jonas Keller", [f"{RHEIN}=designer"]),
    ("greta", "Greta Lindner", [f"{RHEIN}=admin"]),
    ("felix", "Felix Braun", [f"{RHEIN}=marker"]),
    ("ines", "Ines Vogt", [f"{RHEIN}=marker"]),
    ("uwe", "Uwe Sander", [f"{RHEIN}=awarder"]),
    ("omar", "Omar Haddad", [f"{NORTHWIND}=partner"]),
]

MEI, SAM, LENA = "mei.tan@example.org", "sam.okafor@example.org", "lena.vogel@example.org"
LEARNERS = [(MEI, "Mei Tan"), (SAM, "Sam Okafor"), (LENA, "Lena Vogel")]

STAFF = {
    HARBOUR: {"design": "dana", "admin": "quinn", "markers": ("lee", "priya"), "award": "ana"},
    RHEIN: {"design": "jonas", "admin": "greta", "markers": ("felix", "ines"), "award": "uwe"},
}

# blueprint sample -> (provider, rulebooks, words that its demand is asked for, who takes it)
COURSES = {
    "sql-python-operations": (HARBOUR, ("guildmark_core", "au_nmf"), "data", (MEI, SAM, LENA)),
    "data-storytelling": (HARBOUR, ("guildmark_core", "au_nmf"), "data", (MEI, SAM, LENA)),
    "data-protection": (RHEIN, ("guildmark_core", "eu_2022"), "data", (MEI, SAM)),
}


class Story:
    """Runs commands as a person would type them, shows what they say, and notes the files they leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: list[dict[str, Any]] = []
        self.step = 0
        self.awards: dict[tuple[str, str], dict[str, Any]] = {}
        self.blueprints: dict[str, dict[str, Any]] = {}

    # -- telling ------------------------------------------------------------------------------------------------------

    def tell(self) -> None:
        """All eleven steps; the first that goes wrong stops the story with its reason."""
        self.before()
        for step in (
            self.skills,
            self.design,
            self.codesign,
            self.gate,
            self.assess,
            self.award,
            self.ledger,
            self.verify,
            self.stack,
            self.match,
            self.feedback,
        ):
            self.step += 1
            click.echo(f"\n{self.step:>2}. {(step.__doc__ or '').splitlines()[0]}")
            step()
        self.neighbours()
        self.write_index()

    def run(self, *words: Any, quiet: bool = False, exit_code: int = 0) -> Any:
        """One command: shown as it would be typed, run in this process, its facts returned."""
        typed = [str(w) for w in words]
        if not quiet:
            click.echo(f"    $ guildmark {shlex.join(self.shorten(w) for w in typed)}")
        context = cli.make_context("guildmark", typed, resilient_parsing=False)
        try:
            with context, _Indented(quiet):
                result = cli.invoke(context)
                code = 0
        except SystemExit as stop:
            result, code = None, int(stop.code or 0)
        except click.exceptions.Exit as stop:
            result, code = None, stop.exit_code
        if code != exit_code:
            raise RuntimeError(f"guildmark {shlex.join(typed)} ended with {code} instead of {exit_code}")
        return code if result is None else result

    def site(self, *words: Any, **options: Any) -> Any:
        return self.run("site", *words, **options)

    def shown(self, name: str | Path) -> str:
        path = self.folder / name
        return os.path.relpath(path)

    def shorten(self, word: str) -> str:
        return os.path.relpath(word) if word.startswith(str(self.folder)) else word

    def leave(self, name: str, body: bytes | str | Any, shows: str) -> Path:
        """Write one of the story's files and note in the index what it shows."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes):
            body = (json.dumps(body, indent=2, ensure_ascii=False) + "\n").encode()
        path.write_bytes(body)
        self.note(path, shows)
        return path

    def note(self, path: Path, shows: str) -> None:
        self.index.append({"step": self.step, "file": str(path.relative_to(self.folder)), "shows": shows})
        click.echo(f"      -> {self.shown(path)}: {shows}")

    def write_index(self) -> None:
        text = json.dumps(self.index, indent=2, ensure_ascii=False) + "\n"
        (self.folder / "index.json").write_text(text, encoding="utf-8")

    # -- the steps ----------------------------------------------------------------------------------------------------

    def before(self) -> None:
        """The organisations and people of the story; all invented."""
        click.echo(
            "Before the story: a database, two providers, an industry partner, their people and keys (all invented)."
        )
        self.site("migrate")
        for slug, name, kind, country in (
            (HARBOUR, "Harbour University", "provider", "AU"),
            (RHEIN, "Rhein Academy", "provider", "DE"),
            (NORTHWIND, "Northwind Logistics", "partner", "AU"),
        ):
            words: list[Any] = ["add-organisation", slug, "--name", name, "--kind", kind, "--country", country]
            if slug in PROVIDER_FACTS:
                facts = self.folder / f"{slug}-facts.json"
                facts.write_text(json.dumps(PROVIDER_FACTS[slug], indent=2) + "\n")
                words += ["--facts", facts]
            self.site(*words)
        for username, name, roles in PEOPLE:
            flags = [part for role in roles for part in ("--role", role)]
            self.site("add-person", username, "--name", name, "--email", f"{username}@example.org", *flags, quiet=True)
        for email, name in LEARNERS:
            self.site("add-learner", email, "--name", name, quiet=True)

    def skills(self) -> None:
        """Skills: what do real job ads ask for?"""
        self.framework = self.site("load-framework")["framework"]
        data = Path(os.environ.get("GUILDMARK_DATA", "../shared/data"))
        real = data / "train-skillspan" / "train.json.gz"
        if real.exists():
            click.echo("      Real job ads are here (SkillSpan, sentences grouped by ad), and they are used.")
            self.site("ingest-ads", real)
        else:
            click.echo(
                "      No real job ads are here: the small set of our own writing is used, and its source says so."
            )
            self.site("ingest-ads")
        self.demand = {}
        for query in sorted({query for _, _, query, _ in COURSES.values()}):
            self.demand[query] = self.site("refresh-demand", "--framework", self.framework, "--query", query)
        for query, facts in self.demand.items():
            self.leave(f"1-demand-{query}.json", facts, f"skills that ads with “{query}” ask for, with 95 % intervals")

    def design(self) -> None:
        """Design: blueprints from that demand, outcome by outcome, with the demand frozen in."""
        for name, (provider, _, query, _) in COURSES.items():
            source = self.leave(f"2-blueprint-{name}.json", _sample(name), "the blueprint as its provider wrote it")
            facts = self.site(
                "draft-blueprint",
                source,
                "--provider",
                provider,
                "--demand",
                self.demand[query]["demand"],
                "--as",
                STAFF[provider]["design"],
            )
            self.blueprints[name] = facts

    def codesign(self) -> None:
        """Co-design: an industry partner signs the map from tasks to outcomes to assessments; a change voids that."""
        for name, (provider, _, _, _) in COURSES.items():
            blueprint, designer = self.blueprints[name]["blueprint"], STAFF[provider]["design"]
            self.site("ask-partner", blueprint, "--partner", NORTHWIND, "--as", designer)
            self._endorse(name)
        name = next(iter(COURSES))
        provider = COURSES[name][0]
        changed = json.loads(_sample(name))
        changed["outcomes"][0]["statement"] += " Unsupervised."
        file = self.leave(
            "3-changed-blueprint.json", changed, "the same blueprint with one outcome changed after signing"
        )
        voided = self.site("revise-draft", self.blueprints[name]["blueprint"], file, "--as", STAFF[provider]["design"])
        self.leave("3-voided-signature.json", voided["endorsements"], "the signature over the old map no longer stands")
        click.echo("      The change is taken back, and the partner's signature stands again.")
        original = self.folder / f"2-blueprint-{name}.json"
        restored = self.site(
            "revise-draft", self.blueprints[name]["blueprint"], original, "--as", STAFF[provider]["design"]
        )
        self.leave("3-standing-signature.json", restored["endorsements"], "the signature stands for the map as signed")

    def _endorse(self, name: str) -> None:
        from guildmark.app.records import Endorsement

        facts = self.site(
            "endorse",
            self.blueprints[name]["blueprint"],
            "--partner",
            NORTHWIND,
            "--claim",
            "These are the tasks our operations analysts do, and we would interview anyone who holds this.",
            "--as",
            "omar",
        )
        row = Endorsement.objects.get(id=facts["endorsement"])
        self.leave(
            f"3-endorsement-{name}.json", bytes(row.document), "the partner's signature, an EndorsementCredential"
        )

    def gate(self) -> None:
        """Quality gate: national frameworks as rules; it blocks, and named people judge what data cannot."""
        for name, (provider, rulebooks, _, _) in COURSES.items():
            blueprint, staff = self.blueprints[name]["blueprint"], STAFF[provider]
            flags = [part for book in rulebooks for part in ("--rulebook", book)]
            first = self.site("submit-for-review", blueprint, *flags, "--as", staff["design"])
            self.leave(f"4-gate-{name}-first.json", first["report"], f"the gate's first answer: {first['verdict']}")
            self._refused("publish-blueprint", blueprint, "--as", staff["admin"])
            for rule in first["blocking"]:
                self.site(
                    "judge",
                    blueprint,
                    rule,
                    "pass",
                    "--reason",
                    JUDGEMENTS[rule],
                    "--as",
                    staff["admin"],
                )
            second = self.site("submit-for-review", blueprint, *flags, "--as", staff["design"])
            self.leave(f"4-gate-{name}.json", second["report"], f"the gate's last answer: {second['verdict']}")
            self.site("publish-blueprint", blueprint, "--as", staff["admin"])

    def _refused(self, *words: Any) -> None:
        click.echo(f"    $ guildmark site {shlex.join(str(w) for w in words)}")
        try:
            self.site(*words, quiet=True)
        except GuildmarkError as refusal:
            click.echo(f"      refused: {refusal}")
        else:
            raise RuntimeError(f"{words[0]} should have been refused")

    def assess(self) -> None:
        """Delivery and assessment: in the learner's own time; two markers, their agreement, a recorded decision."""
        for name, (provider, _, _, learners) in COURSES.items():
            staff = STAFF[provider]
            blueprint = json.loads(_sample(name))
            activities = [
                ("start", "text", 40, "Read the brief and the job tasks behind it"),
                ("practice", "practice", 300, "Practise on the sample data"),
                ("reflect", "text", 45, "Compare your result with the worked example"),
            ]
            flags = [part for a in activities for part in ("--activity", ":".join(str(p) for p in a))]
            offering = self.site(
                "open-offering",
                self.blueprints[name]["blueprint"],
                "--title",
                f"{blueprint['title']}: open all year",
                *flags,
                "--as",
                staff["design"],
            )["offering"]
            for number, email in enumerate(learners):
                self._one_learner(
                    name, blueprint, offering, email, staff, show=number == 0 and name == next(iter(COURSES))
                )

    def _one_learner(
        self, name: str, blueprint: dict[str, Any], offering: str, email: str, staff: dict[str, Any], *, show: bool
    ) -> None:
        enrolment = self.site("enrol", offering, email, quiet=not show)["enrolment"]
        self.site("complete-activity", enrolment, "start", "practice", "reflect", quiet=not show)
        who = email.split("@", 1)[0].replace(".", "-")
        for assessment in blueprint["assessments"]:
            text = WORK.format(learner=who, title=assessment["title"], course=blueprint["title"])
            work = self.folder / "5-work" / f"{who}-{name}-{assessment['id']}.md"
            work.parent.mkdir(exist_ok=True)
            work.write_text(text, encoding="utf-8")
            submission = self.site(
                "submit-work", enrolment, assessment["id"], work, "--title", assessment["title"], quiet=not show
            )["submission"]
            for marker_number, marker in enumerate(staff["markers"]):
                for number, criterion in enumerate(assessment["criteria"]):
                    levels = [level["id"] for level in criterion["levels"]]
                    # The second marker sees one criterion in four a level lower, as markers do.
                    lower = marker_number == 1 and number % 4 == 3
                    level = levels[-2] if lower or number % 2 else levels[-1]
                    self.site(
                        "record-mark", submission, criterion["id"], level, "--as", marker, quiet=not show or number > 0
                    )
        facts = self.site("record-result", enrolment, "--as", staff["award"], quiet=not show)
        if not facts["passed"]:
            raise RuntimeError(f"{email} should have passed {name}")
        self.awards[name, email] = {"decision": facts["decision"]}
        if show:
            self.leave("5-decision.json", facts["document"], "marks, agreement, the rule, and the decision")

    def award(self) -> None:
        """Award: a signed Open Badges 3.0 credential, baked into images, with certificate and claim link."""
        for (name, email), facts in self.awards.items():
            staff = STAFF[COURSES[name][0]]
            first = email == MEI and name == next(iter(COURSES))
            facts |= self.site("award", facts["decision"], "--as", staff["award"], quiet=not first)
        mine = self.awards[next(iter(COURSES)), MEI]
        self.claim_token, self.credential_id = mine["claim_token"], mine["credential"]
        self.site("claim", self.claim_token)
        self.site("export-award", mine["award"], self.folder / "6-award")
        for path, shows in (
            ("credential.json", "the credential, signed with eddsa-rdfc-2022"),
            ("badge.png", "the badge image with the credential inside"),
            ("badge.svg", "the same as SVG"),
            ("certificate.pdf", "the certificate to print, with a QR code"),
            ("record.pdf", "the record of results"),
        ):
            self.note(self.folder / "6-award" / path, shows)
        (self.folder / "credential.json").write_bytes((self.folder / "6-award" / "credential.json").read_bytes())
        self.note(self.folder / "credential.json", "the same credential, for `guildmark verify`")
        self.site("export-web", self.folder / "web")
        self.note(self.folder / "web" / "index.json", "every document that a verifier would fetch, by address")
        self.site("deliver-mail")

    def ledger(self) -> None:
        """Ledger: a tamper-evident log, a receipt that checks offline, a checkpoint anchored where a chain runs."""
        self.site("publish-checkpoint")
        self.site("export-award", self.awards[next(iter(COURSES)), MEI]["award"], self.folder / "6-award", quiet=True)
        self.site("export-web", self.folder / "web", quiet=True)
        self.site("check-log")
        receipt = self.folder / "6-award" / "receipt.txt"
        self.note(receipt, "the receipt of the credential (C2SP tlog-proof)")
        vkey = self.folder / "web" / "log" / "vkey"
        self.note(self.folder / "web" / "log" / "checkpoint", "the log's signed checkpoint")
        self.run("receipt", receipt, "--credential", self.folder / "credential.json", "--vkey", vkey)
        rpc = os.environ.get("GUILDMARK_EVM_URL") or "http://127.0.0.1:8545"
        try:
            facts = self.site("anchor-checkpoint", "--rpc", rpc)
        except GuildmarkError as problem:
            click.echo(f"      No chain answers at {rpc}, so nothing is anchored ({problem})")
        else:
            self.leave("7-anchor.json", facts, "where the checkpoint's digest stands; a test chain is no evidence")

    def verify(self) -> None:
        """Verify: finding by finding in plain words; suspend, reinstate and revoke are seen at once."""
        web, mine = self.folder / "web", self.folder / "credential.json"
        self.run("verify", mine, "--documents", web)
        target = self.awards["data-storytelling", LENA]
        self.site("export-award", target["award"], self.folder / "8-status", quiet=True)
        badge = self.folder / "8-status" / "badge.png"
        steps = (
            ("suspend", "under_review", 1),
            ("reinstate", "review_closed", 0),
            ("revoke", "issued_in_error", 1),
        )
        for verb, code, exit_code in steps:
            started = time.monotonic()
            self.site(verb, target["award"], "--code", code, "--as", "ana")
            took = time.monotonic() - started
            self.run("verify", badge, "--documents", web, exit_code=exit_code)
            click.echo(f"      published within {took:.2f} s of the command")
        changed = parse_json(mine.read_bytes())
        changed["credentialSubject"]["achievement"]["name"] = "Master of Everything"
        file = self.leave("8-forged.json", changed, "the credential with one signed value changed")
        self.run("verify", file, "--documents", web, exit_code=1)
        self.note(badge, "a revoked credential in a badge image")

    def stack(self) -> None:
        """Stack: three credentials of two providers count towards a certificate; revoking one re-opens it."""
        rule = files("guildmark.pathways").joinpath("data/operations-data-analyst.toml").read_bytes()
        file = self.leave("9-rule.toml", rule, "the rule of the certificate")
        rule_id = self.site("add-stack-rule", file, "--owner", HARBOUR, "--as", "quinn")["rule"]
        facts = self._certificate(rule_id, MEI, "9-certificate")
        self.leave("9-stack-earned.json", facts["result"], "which credential counts where")
        clr = self.folder / "9-certificate" / "credential.json"
        self.note(clr, "the larger credential with its components (CLR 2.0)")
        self.run("verify", clr, "--documents", self.folder / "web")
        click.echo("      Sam earns the same certificate; then one of his credentials turns out to be issued in error.")
        self._certificate(rule_id, SAM, "9-reopened", quiet=True)
        component = self.awards["data-storytelling", SAM]
        revoked = self.site("revoke", component["award"], "--code", "issued_in_error", "--as", "ana")
        if not revoked["reopened"]:
            raise RuntimeError("the certificate should be open again")
        clr = self.folder / "9-reopened" / "credential.json"
        self.run("verify", clr, "--documents", self.folder / "web", exit_code=1)
        self.note(clr, "a certificate that no longer stands, since a component was revoked")
        click.echo("      Every change of status is in the log too.")
        self.site("publish-checkpoint")
        self.site("export-web", self.folder / "web", quiet=True)

    def _certificate(self, rule_id: str, email: str, folder: str, *, quiet: bool = False) -> Any:
        """The certificate is claimed and must be earned; its files lie in `folder`."""
        facts = self.site("claim-stack", rule_id, email, "--as", "ana", quiet=quiet)
        if facts["state"] != "earned":
            raise RuntimeError(f"{email} should have earned the certificate")
        self.site("publish-checkpoint", quiet=True)
        self.site("export-web", self.folder / "web", quiet=True)
        self.site("export-award", facts["award"], self.folder / folder, quiet=quiet)
        return facts

    def match(self) -> None:
        """Match: people who opted in are ranked for a real ad from verified skills only; a person decides."""
        self.site("consent", MEI, "matching")
        self.site("consent", SAM, "matching")
        click.echo("      Lena did not opt in and is not read.")
        ad = self._best_ad()
        run = self.site("rank-candidates", ad, "--framework", self.framework, "--partner", NORTHWIND, "--as", "omar")
        self.leave("10-ranking.json", run, "people for a job: score, reasons, what is missing, what would close it")
        roles = self.site("suggest-roles", MEI, "--framework", self.framework)
        self.leave("10-roles.json", roles, "jobs for a person")
        self.site(
            "decide-match",
            run["run"],
            MEI,
            "invite",
            "--reason",
            "Verified skills for part of the work; we train the rest.",
            "--as",
            "omar",
        )

    def _best_ad(self) -> str:
        """The ad that asks for what most of the story's courses teach, then for most skills of theirs."""
        from guildmark.app.records import JobAd, Mention

        taught = {name: _taught(name) for name in COURSES}

        def reach(ad: str) -> tuple[int, int]:
            asked = set(Mention.objects.filter(ad=ad).values_list("skill_uri", flat=True))
            found = [asked & skills for skills in taught.values()]
            return sum(bool(skills) for skills in found), len(set().union(*found))

        best: str = max(JobAd.objects.order_by("id").values_list("id", flat=True), key=reach)
        click.echo(f"      The ad comes from {JobAd.objects.get(pk=best).source}.")
        return best

    def feedback(self) -> None:
        """Feedback: a consented outcome attaches to the blueprint version and appears in its next review."""
        name = next(iter(COURSES))
        mine = self.awards[name, MEI]
        self._refused(
            "record-destination", mine["award"], "hired", "--rating", 5, "--employer", NORTHWIND, "--as", "omar"
        )
        self.site("consent", MEI, "outcomes")
        self.site("record-destination", mine["award"], "hired", "--rating", 5, "--employer", NORTHWIND, "--as", "omar")
        review = self.site("review", self.blueprints[name]["blueprint"], "--as", STAFF[COURSES[name][0]]["design"])
        self.leave("11-review.json", review, "what the next review of this blueprint version sees")

    def neighbours(self) -> None:
        """The neighbours: other providers, partners and learners in four sectors, so that there is much to look at."""
        from guildmark.cli.demo.neighbours import Neighbours

        click.echo("\nAround the story: other providers, partners and learners, in every state (all invented).")
        demand = {query: facts["demand"] for query, facts in self.demand.items()}
        Neighbours(framework=self.framework, demand=demand).tell()
        self.site("publish-checkpoint", quiet=True)
        self.site("export-web", self.folder / "web", quiet=True)
        self.site("deliver-mail", quiet=True)


JUDGEMENTS = {
    "AU-E05": "Read both assessments against their outcomes: each outcome shows in made work, once under supervision.",
    "AU-E10": "The credit is stated with its unit and basis, and says what it does not count towards.",
    "AU-E11": "The one claim of recognition is the partner's signature, which verifies and stands for this map.",
    "AU-R6": "The job ads frozen in and the partner's signed need both ask for these skills.",
    "EU-M11": "The type and the agency are stated; looked up in the state register (an invented entry in this demo).",
    "EU-R2": "Every criterion shows its levels in words that a learner can read before starting.",
    "GM-9": "Compared with what Northwind's own analysts do in a week; these are the tasks people are hired for.",
}
"""What the named people of the story say about rules that data cannot decide. Invented, like the people."""

WORK = """# {title}

Course: {course}
Learner: {learner}

This file stands for a learner's work in the demo. It is invented, and says so. Its hash is what the evidence in the
credential names, so that the work that was marked can be told from any other.
"""


def _sample(name: str) -> str:
    return files("guildmark.design").joinpath(f"samples/{name}.json").read_text(encoding="utf-8")


def _taught(name: str) -> set[str]:
    """The skills that a sample blueprint's outcomes are aligned with."""
    return {
        alignment["uri"] for outcome in json.loads(_sample(name))["outcomes"] for alignment in outcome["alignments"]
    }


class _Indented:
    """What a command prints is indented below it, or swallowed when the story only needs its facts."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet

    def __enter__(self) -> None:
        import contextlib
        import io

        self._buffer = io.StringIO()
        self._redirect = contextlib.redirect_stdout(self._buffer)
        self._redirect.__enter__()

    def __exit__(self, *problem: Any) -> None:
        self._redirect.__exit__(*problem)
        if not self.quiet:
            for line in self._buffer.getvalue().splitlines():
                click.echo(f"      {line}")
