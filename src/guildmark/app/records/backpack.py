"""What a learner holds of others: credentials that apps brought here, and the profile that an app wrote for them."""

from __future__ import annotations

from django.db import models

from guildmark.app.records.fields import BytesField
from guildmark.app.records.integration import ApiClient
from guildmark.app.records.people import Learner


class HeldCredential(models.Model):
    """A credential that was issued elsewhere; `document` is what came, byte for byte. Nothing here vouches for it.

    What is beside it was read out of it, to list and to find it.
    """

    class Form(models.TextChoices):
        JSON = "json", "JSON"
        JWS = "jws", "JWS"

    id = models.UUIDField(primary_key=True)
    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="held")
    identity_sha256 = models.CharField(
        max_length=64, help_text="SHA-256 of the issuer's id and the credential's id: equal for equal credentials."
    )
    form = models.CharField(max_length=4, choices=Form.choices)
    document = BytesField()
    size = models.PositiveIntegerField(help_text="Bytes of the document.")
    title = models.CharField(max_length=300)
    issuer_name = models.CharField(max_length=300)
    begins_at = models.DateTimeField(help_text="validFrom, or issuanceDate in older ones.")
    client = models.ForeignKey(ApiClient, on_delete=models.SET_NULL, null=True, related_name="+")
    received_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, help_text="When a newer edition took the place of the one before.")

    class Meta:
        ordering = ["begins_at", "id"]
        constraints = [models.UniqueConstraint(fields=["learner", "identity_sha256"], name="one_edition_of_each_held")]

    def __str__(self):
        return self.title


class HolderProfile(models.Model):
    """What an app wrote about a learner for other apps to read. This site uses nothing of it."""

    learner = models.OneToOneField(Learner, on_delete=models.CASCADE, primary_key=True, related_name="holder_profile")
    document = BytesField()
    client = models.ForeignKey(ApiClient, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()
