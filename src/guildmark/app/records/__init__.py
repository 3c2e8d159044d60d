"""Every table, file by room: columns and constraints, no rules."""

from guildmark.app.records.assess import (
    Activity,
    ActivityDone,
    Decision,
    Enrolment,
    Mark,
    MarkCorrection,
    Offering,
    Submission,
)
from guildmark.app.records.award_lists import AwardList, AwardListRow, TransferredResult
from guildmark.app.records.backpack import HeldCredential, HolderProfile
from guildmark.app.records.credential import Award, StatusChange, StatusList
from guildmark.app.records.design import BlueprintVersion, CoDesign, Comment, Endorsement, GateResult, Judgement
from guildmark.app.records.integration import ApiClient, ApiKey, KeptAnswer
from guildmark.app.records.ledger import Anchoring, LogCheckpoint, LogEntry
from guildmark.app.records.needs import Need, NeedAnswer
from guildmark.app.records.outbox import Event, OutboxMessage
from guildmark.app.records.pathways import Destination, MatchDecision, MatchRun, StackClaim, StackRule
from guildmark.app.records.people import (
    Consent,
    Invitation,
    Learner,
    Membership,
    Organisation,
    OrganisationKey,
    Person,
    RegisterNumber,
)
from guildmark.app.records.sharing import PublicPage, ShareLink
from guildmark.app.records.skills import DemandSnapshot, JobAd, Mention, Skill, SkillFramework
from guildmark.app.records.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Activity",
    "ActivityDone",
    "Anchoring",
    "ApiClient",
    "ApiKey",
    "Award",
    "AwardList",
    "AwardListRow",
    "BlueprintVersion",
    "CoDesign",
    "Comment",
    "Consent",
    "Decision",
    "DemandSnapshot",
    "Destination",
    "Endorsement",
    "Enrolment",
    "Event",
    "GateResult",
    "HeldCredential",
    "HolderProfile",
    "Invitation",
    "JobAd",
    "Judgement",
    "KeptAnswer",
    "Learner",
    "LogCheckpoint",
    "LogEntry",
    "Mark",
    "MarkCorrection",
    "MatchDecision",
    "MatchRun",
    "Membership",
    "Mention",
    "Need",
    "NeedAnswer",
    "Offering",
    "Organisation",
    "OrganisationKey",
    "OutboxMessage",
    "Person",
    "PublicPage",
    "RegisterNumber",
    "ShareLink",
    "Skill",
    "SkillFramework",
    "StackClaim",
    "StackRule",
    "StatusChange",
    "StatusList",
    "Submission",
    "TransferredResult",
    "WebhookDelivery",
    "WebhookEndpoint",
]
