"""The whole story of the product as its people live it, page by page: written once, played in any kind of browser."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from tests.browser.people import Look, Visitor
from tests.browser.site import PUBLIC, Site

TITLE = "Data analysis with SQL and Python for operations"

NEED = """We move four thousand consignments a night. You will write SQL queries against our warehouse databases, clean
data from scanners, analyse data on late departures with Python, and present what it means to the night managers."""

ADS = """id,title,employer,place,posted,text
a1,Operations data analyst,Brackwater,Brisbane,2026-11-02,"You write SQL queries, do data cleaning and data analysis."
a2,Data analyst,Tallowmere,Perth,2026-11-03,"SQL and Python; you analyse data and present findings every week."
a3,Night manager,Brackwater,Perth,yesterday,"You lead the night shift, and read what the data say."
a4,Empty,Brackwater,Perth,2026-11-04,
"""

LARGER = """
id = "night-operations-analyst"
title = "Certificate: Night Operations Analyst"
version = "1"
source = "Tidewater College, credit policy (invented)"
effective_from = 2024-01-01
unit = "AU-CP"
unit_of = ["did:web:demo.guildmark.example:issuers:tidewater-college"]
minimum_level = ["AQF:5"]
months = 60

[achievements.sql]
id = "{blueprint}"
title = "Data analysis with SQL and Python for operations"
issuer = "did:web:demo.guildmark.example:issuers:tidewater-college"
offer = {{ credits = 6, unit = "AU-CP", level = "AQF:5", hours = 60 }}

[achievements.night]
id = "urn:uuid:6f6d1c52-9b1e-4c5e-8d57-0a3f6c1b7e09"
title = "Night work"
issuer = "did:web:demo.guildmark.example:issuers:tidewater-college"
offer = {{ credits = 6, unit = "AU-CP", level = "AQF:5", hours = 60 }}

[[group]]
id = "analysis"
title = "Analysing operational data"
reason = "An analyst finds the answer, and knows the night."
from = {{ achievements = ["sql", "night"] }}
need = {{ credits = 12 }}

[[example]]
title = "Both"
earns = true
on = 2026-11-24
holdings = [
    {{ achievement = "sql", credits = 6, unit = "AU-CP", level = "AQF:5", assessed_on = 2026-11-01 }},
    {{ achievement = "night", credits = 6, unit = "AU-CP", level = "AQF:5", assessed_on = 2026-11-02 }},
]

[[example]]
title = "One alone"
earns = false
on = 2026-11-24
holdings = [{{ achievement = "sql", credits = 6, unit = "AU-CP", level = "AQF:5", assessed_on = 2026-11-01 }}]
"""
"""A larger credential; the operator declares it by a command, since no page does that yet."""


class Story:
    """Nine people of six kinds, each with a browser of their own, and what each of them does in turn."""

    def __init__(
        self,
        site: Site,
        browser: Any,
        folder: Path,
        *,
        java_script: bool = True,
        look: Look | None = None,
        **options: Any,
    ) -> None:
        self.site, self.folder = site, folder

        def person(name: str) -> Visitor:
            return Visitor(site, browser, name, java_script=java_script, look=look, **options)

        self.nora, self.dana = person("Nora Weiss"), person("Dana Lind")
        self.lee, self.priya, self.ana = person("Lee Marsh"), person("Priya Nair"), person("Ana Ruiz")
        self.omar = person("Omar Haddad")
        self.mei = person("Mei Tan")
        self.vera = person("Vera Brandt")
        self.rui = person("Rui Costa")

    def tell(self) -> None:
        """Everything, in its order."""
        self.a_provider_begins()
        self.a_partner_begins_and_says_what_it_needs()
        self.a_designer_drafts_from_demand()
        self.the_partner_comments_and_signs()
        self.the_gate_looks_and_it_is_published()
        self.a_learner_finds_it_and_learns()
        self.two_people_mark_and_a_third_awards()
        self.the_learner_takes_and_shows_it()
        self.a_verifier_checks_it()
        self.it_is_suspended_and_stands_again()
        self.the_partner_finds_people()
        self.the_learner_takes_everything_along()
        self.the_regulator_reads_the_register()
        self.it_is_revoked()

    # -- the beginning -------------------------------------------------------------------------------------------------

    def a_provider_begins(self) -> None:
        """A stranger makes an account, registers an organisation, is checked, and invites colleagues."""
        nora = self.nora
        nora.open()
        nora.follow("Make an account")
        nora.sign_up()
        nora.sees("Hello, Nora Weiss", "Nothing waits for you.")
        nora.follow("Register an organisation")
        nora.write("Name of the organisation", "Tidewater College")
        nora.write("Short name", "tidewater-college")
        nora.choose("What it does", "provider")
        nora.write("Country", "AU")
        nora.press("Register")
        nora.sees("Tidewater College is registered.", "Not checked yet", "Signing keys", "#key-1")
        nora.follow("Say how you are regulated")
        nora.tick("Yes")
        nora.write("Which register", "The national register of providers")
        nora.press("Put it on record")
        nora.sees("On a register, as it says itself: The national register of providers.")
        self.site.command(
            "site", "check-organisation", "tidewater-college", "--how", "National register, no. 123", "--by", "Root"
        )
        nora.follow("guildmark")
        nora.sees_not("has not been checked")
        for colleague, role in (
            (self.dana, "Designer"), (self.lee, "Marker"), (self.priya, "Marker"), (self.ana, "Awarder"),
        ):  # fmt: skip
            nora.follow("guildmark")
            nora.follow("People and roles")
            nora.write("E-mail address", colleague.email)
            nora.choose("Role", role)
            nora.press("Invite")
            nora.sees(f"An invitation to {colleague.email} is on its way.")
            colleague.open(self.site.mail(colleague.email, "invites you").path)
            colleague.follow("Make an account")
            colleague.sign_up()
            colleague.sees("Tidewater College invites you")
            colleague.press("Take this role")
            colleague.sees(f"You act for Tidewater College as {role}.")

    def a_partner_begins_and_says_what_it_needs(self) -> None:
        """Nobody invited the partner either."""
        omar = self.omar
        omar.open()
        omar.follow("Make an account")
        omar.sign_up()
        omar.follow("Register an organisation")
        omar.write("Name of the organisation", "Northwind Logistics")
        omar.write("Short name", "northwind-logistics")
        omar.choose("What it does", "partner")
        omar.write("Country", "AU")
        omar.press("Register")
        self.site.command(
            "site", "check-organisation", "northwind-logistics", "--how", "A call to the number in the register",
            "--by", "Root",
        )  # fmt: skip
        omar.follow("guildmark")
        omar.follow("What we need")
        omar.follow("Open a need")
        omar.write("Role", "Operations data analyst")
        omar.write("What these people have to be able to do", NEED)
        omar.write("How many people", "3")
        omar.write("By when", "2027-06-30")
        omar.press("Open it")
        omar.sees("Your need is open", "SQL", "No provider has answered yet.")
        omar.follow("guildmark")
        omar.follow("Find people")
        omar.follow("Paste a new job ad")
        omar.write("Title of the job", "Operations data analyst")
        omar.write("Place", "Brisbane")
        omar.write("Text of the ad", NEED)
        omar.press("Find the skills in it")
        omar.sees("Skills found in it", "SQL")

    # -- design --------------------------------------------------------------------------------------------------------

    def a_designer_drafts_from_demand(self) -> None:
        """Own job ads come in, the bad rows are listed, demand is measured, and a draft carries it."""
        dana = self.dana
        dana.follow("Demand")
        dana.follow("Bring job ads")
        ads = self.folder / "ads.csv"
        ads.write_text(ADS)
        dana.attach("Job ads", ads)
        dana.press("Bring them")
        dana.sees("2 ads are in.", "2 rows were not taken", "'yesterday' is no date", "an ad without words")
        dana.follow("Demand")
        dana.write("Only ads that hold these words", "data")
        dana.press("Count and freeze")
        dana.sees("3 job ads on", "SQL", "3 of 3", "95 % interval")
        dana.follow("Draft a micro-credential from it")
        dana.choose("Start from a copy of a sample", TITLE)
        dana.press("Make the draft")
        dana.sees("Demand, as it was frozen", "Nobody has been asked to sign yet.")
        dana.follow("guildmark")
        dana.follow("Needs of industry partners")
        dana.follow("Operations data analyst")
        dana.choose("Your draft", TITLE)
        dana.press("Answer with this draft")
        dana.sees("Northwind Logistics is told, and can read")

    def the_partner_comments_and_signs(self) -> None:
        omar, dana = self.omar, self.dana
        omar.follow("guildmark")
        omar.follow("What we need")
        omar.follow("Operations data analyst")
        omar.follow(TITLE)
        omar.choose("About", "Task")
        omar.write("Your comment", "Our analysts do this before six in the morning.")
        omar.press("Send the comment")
        omar.sees("Your comment is with the provider.")
        dana.follow("guildmark")
        dana.follow("Micro-credentials")
        dana.follow(TITLE)
        dana.sees("Our analysts do this before six in the morning.")
        dana.write("Your answer", "The practical is set at night, then.")
        dana.press("Answer")
        omar.follow("guildmark")
        omar.follow("Maps of tasks to sign")
        omar.follow(TITLE)
        omar.sees("The practical is set at night, then.")
        omar.tick("The whole map")
        omar.write("What you say about it", "These are the tasks that our analysts do; we hire for them.")
        omar.press("Sign the map")
        omar.sees("Northwind Logistics has signed", "Stands")

    judged = 0

    def the_gate_looks_and_it_is_published(self) -> None:
        """The gate finds what a person has to judge; the administrator publishes, the designer offers it."""
        dana, nora = self.dana, self.nora
        dana.follow("guildmark")
        dana.follow("Micro-credentials")
        dana.follow(TITLE)
        dana.press("Run the gate")
        dana.sees("The quality gate has looked")
        while dana.page.get_by_role("link", name="Judge this rule").count() > self.judged:
            link = dana.page.get_by_role("link", name="Judge this rule").nth(self.judged)
            dana.follow(link.inner_text())
            dana.tick("Met")
            dana.write("Reason", "Compared with a week of an analyst's work at Northwind.")
            dana.press("Record")
            self.judged += 1
        dana.press("Run the gate again")
        dana.sees("Quality gate: passed", "an administrator of your organisation can publish it")
        nora.follow("guildmark")
        nora.follow("Micro-credentials")
        nora.follow(TITLE)
        nora.press("Publish this version")
        nora.sees("is published. Now open an offering.")
        dana.follow("guildmark")
        dana.follow("Micro-credentials")
        dana.follow(TITLE)
        blueprint = json.loads(dana.download("Take the file", self.folder).read_text())["id"]
        rule = self.folder / "larger.toml"
        rule.write_text(LARGER.format(blueprint=blueprint))
        self.site.command("site", "add-stack-rule", str(rule), "--owner", "tidewater-college", "--as", "nora")
        dana.follow("Open an offering")
        dana.write("Activities", "90, text, Joins step by step\n45, practice, Clean a night of scanner data")
        dana.press("Open it")
        dana.sees("Open for enrolment", "Nobody is enrolled yet.")

    # -- learning ------------------------------------------------------------------------------------------------------

    def a_learner_finds_it_and_learns(self) -> None:
        mei = self.mei
        mei.open()
        mei.follow("Find something to learn")
        mei.write("Words", "SQL")
        mei.press("Find")
        mei.sees("1 found")
        mei.tick(f"Compare {TITLE}")
        mei.press("Compare up to three")
        mei.sees("Who says that work needs it", "Northwind Logistics")
        mei.follow(TITLE)
        mei.sees("Marked by at least 2 people", "It passed the quality gate")
        mei.follow("make an account")
        mei.sign_up()
        mei.press("Enrol")
        mei.sees("You are enrolled in")
        while mei.page.get_by_role("button", name="Tick it off").count():
            mei.press("Tick it off")
        mei.sees("Done on")
        for part in range(mei.page.get_by_role("button", name="Hand it in").count()):
            work = self.folder / f"work{part}.md"
            work.write_text(
                f"# Part {part}\n\nLate orders come from two depots, and here is the query that shows it.\n"
            )
            mei.field("Your work", part).set_input_files(str(work))
            mei.field("What it is called", part).fill(f"Late orders, part {part + 1}")
            mei.press("Hand it in")
            mei.sees("is handed in.")

    def two_people_mark_and_a_third_awards(self) -> None:
        for marker in (self.lee, self.priya):
            marker.follow("guildmark")
            marker.sees("2 pieces of work wait for your marks.")
            for part in (1, 2):
                marker.follow("guildmark")
                marker.follow("Marking")
                marker.sees_not("Mei Tan")
                marker.follow(f"Late orders, part {part}")
                for group in marker.page.get_by_role("group").all():
                    if group.get_by_role("radio").count():
                        group.get_by_role("radio").last.check()
                for comment in marker.page.get_by_label("Comment on", exact=False).all():
                    comment.fill("Clear, and the query is right.")
                marker.press("Record my marks")
                marker.sees("Your marks are on record.")
        ana = self.ana
        ana.follow("guildmark")
        ana.follow("1 learner waits for a decision.")
        ana.follow("Mei Tan")
        ana.press("Decide")
        ana.sees("Decided: Mei Tan has passed.", "How far the markers agree")
        ana.press("Award the credential")
        ana.sees("Mei Tan")

    # -- the credential ------------------------------------------------------------------------------------------------

    def the_learner_takes_and_shows_it(self) -> None:
        """By the link of the mail, in a browser where nobody is signed in; then in the wallet."""
        mei = self.mei
        claim = self.site.mail(mei.email, TITLE).path
        away = Visitor(self.site, mei.context.browser, "Mei Tan", look=mei.look)
        away.open(claim)
        away.sees("Awarded to Mei Tan by Tidewater College", "Is this yours?")
        away.press("Take this credential")
        away.sees("You took this credential on")
        self.credential = away.download("The credential itself", self.folder)
        away.context.close()
        mei.follow("My credentials")
        mei.sees("in force")
        mei.follow("Verify now, files, sharing")
        mei.sees("This credential holds.")
        linkedin = mei.page.get_by_role("link", name="Add it to LinkedIn").get_attribute("href")
        assert linkedin.startswith("https://www.linkedin.com/profile/add?startTask=CERTIFICATION_NAME")
        mei.choose("Show it for", "one week")
        mei.press("Make a link")
        mei.sees("Here is the link.")
        self.link = mei.page.get_by_role("link", name=PUBLIC).first.inner_text()

    def a_verifier_checks_it(self) -> None:
        """Somebody who knows nothing and has no account: by upload, and by the link that was sent to them."""
        vera = self.vera
        vera.open()
        vera.follow("Check a credential")
        vera.attach("choose its file", self.credential)
        vera.press("Check")
        vera.sees(
            "This credential holds.",
            "What the person can do",
            "Write SQL that joins and summarises",
            "Who vouches for it",
        )
        vera.sees("Tidewater College", "Northwind Logistics", "How it was assessed", "What it counts towards")
        vera.sees("Certificate: Night Operations Analyst", "Whether it still holds")
        vera.open(self.link)
        vera.sees("Made out to Mei Tan", "This credential holds.", TITLE)
        changed = self.folder / "changed.json"
        document = json.loads(self.credential.read_text())
        document["credentialSubject"]["result"][0]["value"] = "Distinction"
        changed.write_text(json.dumps(document))
        vera.follow("Check a credential")
        vera.attach("choose its file", changed)
        vera.press("Check")
        vera.sees("This credential does not hold.")

    def it_is_suspended_and_stands_again(self) -> None:
        self._change("Suspend", "Suspend this credential")
        self._vera_finds("This credential does not hold.")
        assert self.site.mail(self.mei.email, "suspended")
        self._change("Reinstate", "Reinstate this credential")
        self._vera_finds("This credential holds.")

    def it_is_revoked(self) -> None:
        self._change("Revoke", "Revoke this credential for good", sure=True)
        self._vera_finds("This credential does not hold.")
        assert self.site.mail(self.mei.email, "revoked")
        self.vera.open(self.link)
        self.vera.sees("This credential does not hold.")

    def _change(self, link: str, button: str, *, sure: bool = False) -> None:
        ana = self.ana
        ana.follow("guildmark")
        ana.follow("Decisions and awards")
        ana.follow("Mei Tan", within="Awards")
        ana.follow(link)
        ana.page.get_by_role("radio").first.check()
        if sure:
            ana.tick("I know that a revocation cannot be taken back.")
        ana.press(button)
        ana.sees("the published status list says so")

    def _vera_finds(self, answer: str) -> None:
        self.vera.open("/verify")
        self.vera.attach("choose its file", self.credential)
        self.vera.press("Check")
        self.vera.sees(answer)

    # -- where it leads ------------------------------------------------------------------------------------------------

    def the_partner_finds_people(self) -> None:
        """Nobody is found before they agreed to be; afterwards by number, with reasons, until they are invited."""
        omar, mei = self.omar, self.mei
        self._rank()
        omar.sees("Nobody who agreed to be matched")
        mei.follow("My credentials")
        mei.follow("Work that fits")
        mei.sees("Nothing is looked at before you have agreed")
        mei.follow("What I agreed to")
        mei.press("I agree", within="Being found for work")
        mei.sees("You have agreed.")
        mei.follow("Work that fits")
        mei.sees("Operations data analyst", "of what it asks for")
        mei.follow("Where it leads")
        mei.sees("Certificate: Night Operations Analyst", "Not yet.", "in the part “Analysing operational data”")
        self._rank()
        omar.sees("Candidate 1", "Why")
        omar.sees_not("Mei Tan")
        omar.unfold("Decide")
        omar.write("Why", "Holds what the work needs.")
        omar.press("Invite")
        omar.sees("Candidate 1 is invited", "Mei Tan")
        assert self.site.mail(mei.email, "Northwind")
        omar.follow("guildmark")
        omar.follow("Find people")
        omar.follow("Check a list of credentials")
        omar.attach("Files", self.credential, self.folder / "changed.json")
        omar.press("Check")
        omar.sees("This credential holds.", "This credential does not hold.")

    def _rank(self) -> None:
        self.omar.follow("guildmark")
        self.omar.follow("Find people")
        self.omar.follow("Operations data analyst")
        self.omar.press("Rank people for this job")

    def the_learner_takes_everything_along(self) -> None:
        self.mei.follow("My credentials")
        file = self.mei.download("Download everything", self.folder)
        names = zipfile.ZipFile(io.BytesIO(file.read_bytes())).namelist()
        assert any(name.endswith("credential.json") for name in names), names

    def the_regulator_reads_the_register(self) -> None:
        rui = self.rui
        rui.open()
        rui.follow("Public register")
        rui.sees("Tidewater College (AU)", "Northwind Logistics", "withheld")
        table = rui.download("Take the whole register as a table", self.folder).read_text()
        assert TITLE in table
        rui.follow("Figures by field and by provider")
        rui.sees("withheld")
        rui.follow("Public register")
        rui.follow(TITLE)
        rui.sees("Northwind Logistics")
        rui.follow("Public register")
        rui.follow("Gate report")
        rui.sees('"verdict"')
