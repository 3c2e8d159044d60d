"""What goes in and what comes out; ids are UUIDs, moments are in UTC, an absent value is null."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

from guildmark.app.api.pages import Page
from guildmark.app.queries.partner import Candidate
from guildmark.app.records import Award, BlueprintVersion, Decision, Learner, MatchRun, StackClaim, StackRule
from guildmark.app.services.api_keys import Caller
from guildmark.app.services.status import REASONS

State = Literal["valid", "suspended", "revoked"]
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""A text without NUL, which PostgreSQL does not store."""


class Given(Schema):
    """What a request brings; a member that is not known is refused, since it was meant to say something."""

    model_config = ConfigDict(extra="forbid")


class OrganisationOut(Schema):
    id: UUID
    name: str
    slug: str


class CallerOut(Schema):
    """For whom this key acts, and what it may do now."""

    organisation: OrganisationOut
    scopes: list[str]

    @classmethod
    def of(cls, caller: Caller) -> CallerOut:
        row = caller.organisation
        return cls(organisation=OrganisationOut(id=row.id, name=row.name, slug=row.slug), scopes=sorted(caller.scopes))


class BlueprintLine(Schema):
    """One version of a blueprint; `blueprint` is the same for every version of it."""

    id: UUID
    blueprint: str
    version: int
    title: str
    state: Literal["draft", "published", "withdrawn"]
    digest: str
    created_at: AwareDatetime
    published_at: AwareDatetime | None

    @classmethod
    def of(cls, row: BlueprintVersion, **more: Any) -> Any:
        return cls(
            id=row.id,
            blueprint=row.blueprint_id,
            version=row.version,
            title=row.title,
            state=row.state,
            digest=row.digest,
            created_at=row.created_at,
            published_at=row.published_at,
            **more,
        )


class BlueprintOut(BlueprintLine):
    """A blueprint with its whole content: outcomes, assessments, rubrics, the award rule."""

    document: dict[str, Any]


class BlueprintPage(Page):
    items: list[BlueprintLine]


class LearnerOut(Schema):
    id: UUID
    name: str
    email: str

    @classmethod
    def of(cls, row: Learner) -> LearnerOut | None:
        return None if row.erased_at else cls(id=row.id, name=row.name, email=row.email)


class DecisionOut(Schema):
    """What was decided about one learner; `award` is null as long as nothing was awarded on it."""

    id: UUID
    passed: bool
    decided_at: AwareDatetime
    blueprint: UUID = Field(description="The id of the blueprint version.")
    learner: LearnerOut | None = Field(description="Null once the learner was erased.")
    award: UUID | None

    @classmethod
    def of(cls, row: Decision) -> DecisionOut:
        award = getattr(row, "award", None)
        return cls(
            id=row.id,
            passed=row.passed,
            decided_at=row.decided_at,
            blueprint=row.enrolment.offering.blueprint_version_id,
            learner=LearnerOut.of(row.enrolment.learner),
            award=award.id if award else None,
        )


class DecisionPage(Page):
    items: list[DecisionOut]


class AwardIn(Given):
    """The passed decision that is awarded; who learns, what and with which results is what it says."""

    decision: UUID


class AwardOut(Schema):
    """A credential that was awarded; the signed document itself is at `/awards/{id}/credential`."""

    id: UUID
    credential_id: str
    kind: Literal["badge", "clr"]
    title: str
    state: State
    blueprint: UUID | None = Field(description="The id of the blueprint version; null for a larger credential.")
    decision: UUID | None
    learner: LearnerOut | None = Field(description="Null once the learner was erased.")
    issued_at: AwareDatetime
    valid_until: AwareDatetime | None
    claimed_at: AwareDatetime | None = Field(description="When the learner took it; null as long as they have not.")

    @classmethod
    def of(cls, row: Award) -> AwardOut:
        decision = row.decision
        return cls(
            id=row.id,
            credential_id=row.credential_id,
            kind=row.kind,
            title=row.title,
            state=row.state,
            blueprint=decision.enrolment.offering.blueprint_version_id if decision else None,
            decision=row.decision_id,
            learner=LearnerOut.of(row.learner),
            issued_at=row.issued_at,
            valid_until=row.valid_until,
            claimed_at=row.claimed_at,
        )


class AwardPage(Page):
    items: list[AwardOut]


class StatusIn(Given):
    """What the award becomes, and why. `valid` reinstates; `revoked` is for good."""

    state: State
    code: Literal[tuple(dict.fromkeys(code for codes in REASONS.values() for code in codes))]  # type: ignore[valid-type]
    note: Text = Field(default="", max_length=2000, description="For the provider's own record; never published.")


class StatusChangeOut(Schema):
    state: State
    code: str
    says: str
    note: str
    at: AwareDatetime


class StatusOut(Schema):
    """Whether the award holds, and every change so far, the oldest first."""

    award: UUID
    state: State
    changes: list[StatusChangeOut]

    @classmethod
    def of(cls, row: Award) -> StatusOut:
        changes = [
            StatusChangeOut(
                state=change.state,
                code=change.code,
                says=REASONS[change.state].get(change.code, ""),
                note=change.note,
                at=change.at,
            )
            for change in row.status_changes.order_by("at", "id")
        ]
        return cls(award=row.id, state=row.state, changes=changes)


Verdict = Literal["pass", "fail", "unknown", "not applicable"]


class FindingOut(Schema):
    id: str
    verdict: Verdict
    required: bool
    says: str
    because: dict[str, Any]
    source: str


class ReportOut(Schema):
    """What was found. `pass` holds; `fail` does not; `unknown` could not be told, and is never to be taken for pass."""

    subject: str
    verdict: Verdict
    findings: list[FindingOut]


class StackLine(Schema):
    """The rule of a larger credential."""

    id: str
    title: str
    version: str

    @classmethod
    def of(cls, row: StackRule, **more: Any) -> Any:
        return cls(id=row.id, title=row.title, version=row.version, **more)


class StackOut(StackLine):
    text: str = Field(description="The rule as its owner wrote it, in TOML.")


class StackPage(Page):
    items: list[StackLine]


class GapOut(Schema):
    """What is missing in one part of the rule."""

    id: str = Field(description="Of the part.")
    title: str
    missing: float
    unit: str = Field(description="Of credit; empty where so many credentials are missing.")


class ClaimOut(Schema):
    """The last claim to the larger credential that was solved."""

    state: Literal["open", "earned"]
    reason: str
    award: UUID | None
    solved_at: AwareDatetime

    @classmethod
    def of(cls, row: StackClaim) -> ClaimOut:
        return cls(state=row.state, reason=row.reason, award=row.award_id, solved_at=row.solved_at)


class ProgressOut(Schema):
    """How far a learner is, counting what this organisation itself awarded, verified now."""

    rule: str
    version: str
    learner: UUID
    on: date
    earned: bool
    placement: dict[str, str] = Field(description="Credential id -> the part of the rule in which it counts.")
    gaps: list[GapOut]
    report: ReportOut
    claim: ClaimOut | None


class AdOut(Schema):
    id: str
    title: str


class MatchLine(Schema):
    """A ranking that the organisation ran for a job ad."""

    id: UUID
    ad: AdOut
    at: AwareDatetime
    people: int

    @classmethod
    def of(cls, row: MatchRun, **more: Any) -> Any:
        return cls(id=row.id, ad=AdOut(id=row.ad_id, title=row.ad.title), at=row.at, people=len(row.matches), **more)


class CandidateOut(Schema):
    """Somebody in a ranking, by number; named only once they were invited, and blank once they withdrew consent."""

    number: int
    withdrawn: bool
    name: str | None
    percent: int
    reasons: list[str]
    missing: list[str]
    closes: list[str] = Field(description="What can be learned to close what is missing.")

    @classmethod
    def of(cls, one: Candidate) -> CandidateOut:
        return cls(
            number=one.number,
            withdrawn=one.gone,
            name=one.name or None,
            percent=one.percent,
            reasons=list(one.reasons),
            missing=list(one.missing),
            closes=list(one.closes),
        )


class MatchOut(MatchLine):
    candidates: list[CandidateOut]


class MatchPage(Page):
    items: list[MatchLine]
