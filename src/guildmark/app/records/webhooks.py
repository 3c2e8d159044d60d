"""Who is told by HTTP of what happens, and what was sent to them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from guildmark.app.records.fields import BytesField
from guildmark.app.records.people import Organisation, Person


class WebhookEndpoint(models.Model):
    """An address of an organisation that events are sent to; its secret lies here encrypted, never in clear.

    After a rotation the secret before it signs too, until `before_until`.
    """

    id = models.UUIDField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    kinds = models.JSONField(help_text="The kinds of event that are sent, such as award.made.")
    sealed = BytesField(help_text="The secret as adapters.sealed keeps it: scrypt and AES-GCM.")
    sealed_before = BytesField(null=True)
    before_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    disabled_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self):
        return self.url


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint. Its id is the `webhook-id`, and the payload is sent byte for byte."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        HELD = "held", _("Held")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=60)
    payload = BytesField()
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, help_text="Only while it waits.")
    last_attempt_at = models.DateTimeField(null=True)
    last_status = models.PositiveIntegerField(null=True, help_text="HTTP status of the last answer, if there was one.")
    last_answer = models.CharField(max_length=300, blank=True, help_text="What was answered, or why nothing was.")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="webhook_deliveries_due"),
            models.Index(fields=["endpoint", "created_at"], name="webhook_deliveries_recent"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="waiting", next_attempt_at__isnull=False)
                | (~models.Q(state="waiting") & models.Q(next_attempt_at__isnull=True)),
                name="waiting_deliveries_have_a_moment",
            )
        ]
