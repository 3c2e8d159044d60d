"""What a partner needs: said without being asked, and the drafts with which providers answer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from guildmark.app.records.design import BlueprintVersion
from guildmark.app.records.people import Organisation, Person


class Need(models.Model):
    """People whom a partner cannot find: for which role, with which skills, how many, by when. Providers see it."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")

    id = models.UUIDField(primary_key=True)
    partner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="needs")
    role = models.CharField(max_length=300)
    words = models.TextField(help_text="What these people have to be able to do, in the partner's words or as an ad.")
    skills = models.JSONField(default=list, help_text="Pairs of URI and label that were found in the words.")
    field = models.CharField(max_length=2, blank=True, help_text="Broad field of ISCED-F 2013; empty for any.")
    hires = models.PositiveIntegerField()
    by_when = models.DateField()
    state = models.CharField(max_length=20, choices=State.choices, default=State.OPEN)
    opened_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_because = models.TextField(blank=True)

    class Meta:
        ordering = ["opened_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(hires__gte=1), name="need_is_for_somebody"),
            models.CheckConstraint(condition=~Q(state="closed") | Q(closed_at__isnull=False), name="closed_has_a_date"),
        ]

    def __str__(self):
        return self.role


class NeedAnswer(models.Model):
    """A provider's draft that answers a need; the partner is asked to read it with that."""

    need = models.ForeignKey(Need, on_delete=models.CASCADE, related_name="answers")
    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.CASCADE, related_name="needs_answered")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["need", "blueprint_version"], name="answered_once_per_draft")]
