"""Where it leads: stack claims, match runs with the human decision, destinations of graduates."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from guildmark.app.records.credential import Award
from guildmark.app.records.people import Consent, Learner, Organisation, Person
from guildmark.app.records.skills import JobAd


class StackRule(models.Model):
    """A rulebook for a larger credential, as its owner wrote it."""

    id = models.CharField(max_length=100, primary_key=True)
    title = models.CharField(max_length=300)
    version = models.CharField(max_length=40)
    owner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="stack_rules")
    text = models.TextField()

    class Meta:
        ordering = ["id"]


class StackClaim(models.Model):
    """A learner's claim to a larger credential: the last result, and the award that it earned."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        EARNED = "earned", _("Earned")

    id = models.UUIDField(primary_key=True)
    rule = models.ForeignKey(StackRule, on_delete=models.PROTECT, related_name="claims")
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="stack_claims")
    award = models.OneToOneField(Award, on_delete=models.PROTECT, null=True, related_name="stack_claim")
    state = models.CharField(max_length=20, choices=State.choices)
    result = models.JSONField()
    reason = models.TextField(blank=True)
    solved_at = models.DateTimeField()

    class Meta:
        ordering = ["solved_at", "id"]
        constraints = [models.UniqueConstraint(fields=["rule", "learner"], name="one_claim_per_rule")]


class MatchRun(models.Model):
    """Who was ranked for a job, when and why: the whole answer is kept, so that it can be questioned."""

    id = models.UUIDField(primary_key=True)
    ad = models.ForeignKey(JobAd, on_delete=models.PROTECT, related_name="match_runs")
    employer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="match_runs", null=True)
    need = models.JSONField()
    matches = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["at", "id"]


class MatchDecision(models.Model):
    """What a person decided about one match. The ranking decides nothing."""

    run = models.ForeignKey(MatchRun, on_delete=models.PROTECT, related_name="decisions")
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="match_decisions")
    decision = models.CharField(max_length=20, choices=[("invite", "invite"), ("decline", "decline")])
    reason = models.TextField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]


class Destination(models.Model):
    """What became of a graduate, told with consent, for the version of the blueprint that they were awarded."""

    id = models.UUIDField(primary_key=True)
    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="destinations")
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="destinations")
    employer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="destinations", null=True)
    blueprint_id = models.CharField(max_length=100, db_index=True)
    blueprint_version = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    rating = models.PositiveSmallIntegerField(null=True)
    source = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rating__isnull=True) | models.Q(rating__range=(1, 5)), name="rating_is_1_to_5"
            )
        ]
