"""What a learner lets others see: links to one credential, which end by themselves or when the learner ends them."""

from __future__ import annotations

from django.db import models

from guildmark.app.records.credential import Award


class ShareLink(models.Model):
    """An address under which anybody sees one credential with its name and results, until it ends."""

    id = models.UUIDField(primary_key=True)
    award = models.ForeignKey(Award, on_delete=models.CASCADE, related_name="share_links")
    token_sha256 = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, never the token.")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["made_at", "id"]
