"""What a learner lets others see: links to one credential that end, and a public page of chosen credentials."""

from __future__ import annotations

from django.db import models

from guildmark.app.records.credential import Award
from guildmark.app.records.people import Learner


class ShareLink(models.Model):
    """An address under which anybody sees a credential, or several, with name and results, until it ends."""

    id = models.UUIDField(primary_key=True)
    award = models.ForeignKey(Award, on_delete=models.CASCADE, related_name="share_links")
    more = models.ManyToManyField(Award, related_name="shared_along", help_text="What is shown beside `award`.")
    token_sha256 = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, never the token.")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["made_at", "id"]


class PublicPage(models.Model):
    """An address under which anybody sees the credentials that the learner chose, while it is open. Off by default."""

    learner = models.OneToOneField(Learner, on_delete=models.CASCADE, primary_key=True, related_name="public_page")
    address = models.SlugField(max_length=40, unique=True)
    awards = models.ManyToManyField(Award, related_name="public_pages")
    opened_at = models.DateTimeField(null=True, help_text="Empty while the page is closed.")
