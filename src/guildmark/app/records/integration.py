"""Programs that act for an organisation: keys, OAuth clients, and the answers that a repeated request gets again."""

from __future__ import annotations

from django.db import models
from oauth2_provider.models import AbstractApplication

from guildmark.app.records.fields import BytesField
from guildmark.app.records.people import Learner, Organisation, Person


class ApiKey(models.Model):
    """A secret with which a program acts for an organisation; shown once, and kept as a hash.

    It may do what its scopes say and its maker still may, whichever is less.
    """

    id = models.UUIDField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=200)
    scopes = models.JSONField(help_text="A list of names from services.api_keys.SCOPES.")
    prefix = models.CharField(max_length=20, unique=True, help_text="The beginning of the secret, to tell keys apart.")
    secret_sha256 = models.CharField(max_length=64, help_text="SHA-256 of the secret, never the secret.")
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="To the nearest ten minutes.")

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self):
        return f"{self.name} ({self.prefix}…)"


class ApiClient(AbstractApplication):
    """An OAuth 2 client; its secret is kept as a hash. It is one of two things, and never becomes the other.

    Of an organisation: for the client credentials grant alone. As a key, it may do what its scopes say and its maker
    still may. Of nobody: an app that registered itself, which a learner lets in or does not (authorization code).
    """

    id = models.UUIDField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="api_clients", null=True)
    scopes = models.JSONField(help_text="A list of names from services.api_keys.SCOPES, or of services.apps.SCOPES.")
    facts = models.JSONField(default=dict, help_text="What an app said of itself when it registered (RFC 7591).")
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", null=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta(AbstractApplication.Meta):
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    organisation__isnull=False, created_by__isnull=False, authorization_grant_type="client-credentials"
                )
                | models.Q(
                    organisation__isnull=True, created_by__isnull=True, authorization_grant_type="authorization-code"
                ),
                name="client_of_an_organisation_or_an_app",
            )
        ]

    def is_usable(self, request):
        """Whether it may ask for a token; what a token permits is looked at again whenever it is used."""
        return self.revoked_at is None


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered; the same request gets the same answer for a day."""

    caller = models.CharField(max_length=60, help_text="services.api_keys.Caller.id")
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = BytesField()
    etag = models.CharField(max_length=80, blank=True)
    location = models.CharField(max_length=300, blank=True)
    learner = models.ForeignKey(
        Learner, on_delete=models.CASCADE, null=True, related_name="+", help_text="Whom the answer tells of."
    )
    at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_per_idempotency_key")]
