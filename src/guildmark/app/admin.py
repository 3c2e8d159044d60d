"""The operator's admin: look at everything, change little. What is signed or logged is read-only here."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from guildmark.app import records


class ReadOnly(admin.ModelAdmin):
    """Rows that only services write: to be looked at, never edited."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(records.Person)
class PersonAdmin(UserAdmin):
    list_display = ("username", "name", "email", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "name", "email", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
    )
    search_fields = ("username", "name", "email")


@admin.register(records.Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("person", "organisation", "role")
    list_filter = ("organisation", "role")


@admin.register(records.OutboxMessage)
class OutboxAdmin(ReadOnly):
    list_display = ("to", "subject", "created_at", "sent_at", "attempts", "dead", "problem")
    list_filter = ("dead",)
    # The body holds the learner's claim link: whoever reads it could take the credential.
    exclude = ("body",)


@admin.register(records.Award)
class AwardAdmin(ReadOnly):
    list_display = ("title", "learner", "issuer", "state", "issued_at", "claimed_at")
    list_filter = ("state", "issuer", "kind")
    search_fields = ("credential_id", "title", "learner__name")
    exclude = ("document", "salt", "nonce", "claim_sha256")


@admin.register(records.OrganisationKey)
class KeyAdmin(ReadOnly):
    list_display = ("key_id", "organisation", "purpose", "algorithm", "created_at", "retired_at")
    exclude = ("sealed", "public_key")


@admin.register(records.Event)
class EventAdmin(ReadOnly):
    list_display = ("at", "actor", "verb", "subject")
    list_filter = ("verb",)
    search_fields = ("subject",)


@admin.register(records.BlueprintVersion)
class BlueprintAdmin(ReadOnly):
    list_display = ("title", "version", "provider", "state", "published_at")
    list_filter = ("state", "provider")


@admin.register(records.GateResult)
class GateAdmin(ReadOnly):
    list_display = ("blueprint_version", "verdict", "at", "by")
    list_filter = ("verdict",)


@admin.register(records.Decision)
class DecisionAdmin(ReadOnly):
    list_display = ("enrolment", "passed", "decided_by", "decided_at")


@admin.register(records.ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "organisation", "prefix", "created_by", "expires_at", "revoked_at", "last_used_at")
    exclude = ("secret_sha256",)


class ApiClientAdmin(ReadOnly):
    """Registered by django-oauth-toolkit, as OAUTH2_PROVIDER in the settings says."""

    list_display = ("name", "organisation", "client_id", "created_by", "created_at", "revoked_at")
    exclude = ("client_secret",)


class TokenAdmin(ReadOnly):
    """As `ApiClientAdmin`: to be looked at, without what would let somebody act."""

    exclude = ("token", "token_checksum")


for model in (
    records.Organisation,
    records.Learner,
    records.Consent,
    records.SkillFramework,
    records.JobAd,
    records.DemandSnapshot,
    records.Endorsement,
    records.Judgement,
    records.Offering,
    records.Enrolment,
    records.Submission,
    records.Mark,
    records.StatusChange,
    records.LogEntry,
    records.LogCheckpoint,
    records.Anchoring,
    records.StackRule,
    records.StackClaim,
    records.MatchRun,
    records.MatchDecision,
    records.Destination,
):
    admin.site.register(model, ReadOnly)
