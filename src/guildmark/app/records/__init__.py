"""Every table, file by room: columns and constraints, no rules."""

from guildmark.app.records.assess import Activity, ActivityDone, Decision, Enrolment, Mark, Offering, Submission
from guildmark.app.records.credential import Award, StatusChange, StatusList
from guildmark.app.records.design import BlueprintVersion, CoDesign, Endorsement, GateResult, Judgement
from guildmark.app.records.ledger import Anchoring, LogCheckpoint, LogEntry
from guildmark.app.records.outbox import Event, OutboxMessage
from guildmark.app.records.pathways import Destination, MatchDecision, MatchRun, StackClaim, StackRule
from guildmark.app.records.people import Consent, Invitation, Learner, Membership, Organisation, OrganisationKey, Person
from guildmark.app.records.sharing import ShareLink
from guildmark.app.records.skills import DemandSnapshot, JobAd, Mention, Skill, SkillFramework

__all__ = [
    "Activity",
    "ActivityDone",
    "Anchoring",
    "Award",
    "BlueprintVersion",
    "CoDesign",
    "Consent",
    "Decision",
    "DemandSnapshot",
    "Destination",
    "Endorsement",
    "Enrolment",
    "Event",
    "GateResult",
    "Invitation",
    "JobAd",
    "Judgement",
    "Learner",
    "LogCheckpoint",
    "LogEntry",
    "Mark",
    "MatchDecision",
    "MatchRun",
    "Membership",
    "Mention",
    "Offering",
    "Organisation",
    "OrganisationKey",
    "OutboxMessage",
    "Person",
    "ShareLink",
    "Skill",
    "SkillFramework",
    "StackClaim",
    "StackRule",
    "StatusChange",
    "StatusList",
    "Submission",
]
