"""What is promised: blueprint versions, endorsements of their map, judgements and gate results."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from guildmark.app.records.fields import BytesField
from guildmark.app.records.people import Organisation, Person


class BlueprintVersion(models.Model):
    """One version of a blueprint. A published one never changes; a change is a new version."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    id = models.UUIDField(primary_key=True)
    blueprint_id = models.CharField(max_length=100, db_index=True)
    version = models.PositiveIntegerField()
    provider = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="blueprints")
    title = models.CharField(max_length=300)
    document = models.JSONField(help_text="design.blueprint.Blueprint as JSON")
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["title", "version"]
        constraints = [
            models.UniqueConstraint(fields=["blueprint_id", "version"], name="one_record_per_version"),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(published_at__isnull=False), name="published_has_a_date"
            ),
        ]

    def __str__(self):
        return f"{self.title} v{self.version}"


class CoDesign(models.Model):
    """A partner whom the provider has asked to read a draft and to sign its map; nobody else sees a draft."""

    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.CASCADE, related_name="co_designs")
    partner = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="co_designs")
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    declined_at = models.DateTimeField(null=True)
    declined_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    declined_because = models.TextField(blank=True)

    class Meta:
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["blueprint_version", "partner"], name="asked_once"),
            models.CheckConstraint(
                condition=Q(declined_at__isnull=True) | ~Q(declined_because=""), name="declined_with_a_reason"
            ),
        ]


class Comment(models.Model):
    """What a partner says about a draft, or the provider answers; seen by these two and by no other partner.

    The comments of one partner about one element are a thread; `element` is "" for the draft as a whole, else its kind
    and id (`task:t1`, `outcome:o1`, `assessment:a1`). A thread is answered when the provider wrote last.
    """

    id = models.UUIDField(primary_key=True)
    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.CASCADE, related_name="comments")
    partner = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    element = models.CharField(max_length=120, blank=True)
    text = models.TextField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="comment_says_something")]


class Endorsement(models.Model):
    """An industry partner's signature over the task, outcome and assessment map, exactly as signed."""

    id = models.UUIDField(primary_key=True)
    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="endorsements")
    partner = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="endorsements")
    credential_id = models.CharField(max_length=300, unique=True)
    scope = models.JSONField()
    map_digest = models.CharField(max_length=64)
    signed_map = BytesField(default=b"", help_text="The bytes with that digest; empty where they were not kept.")
    document = BytesField()
    signed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["signed_at", "id"]


class Judgement(models.Model):
    """What a named person decided about the substance of one rule, for one content of a blueprint."""

    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="judgements")
    blueprint_digest = models.CharField(max_length=64)
    rule_id = models.CharField(max_length=100)
    verdict = models.CharField(max_length=10, choices=[("pass", "pass"), ("fail", "fail")])
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="judgements")
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="judgement_has_a_reason")]


class GateResult(models.Model):
    """What the quality gate found at one moment; `digest` says about which content. `seq` counts from 1 per version."""

    id = models.UUIDField(primary_key=True)
    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="gate_results")
    seq = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    rulebooks = models.JSONField(help_text="Pairs of rulebook id and version.")
    verdict = models.CharField(max_length=20)
    report = models.JSONField()
    at = models.DateTimeField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["blueprint_version", "seq"]
        constraints = [models.UniqueConstraint(fields=["blueprint_version", "seq"], name="one_gate_result_per_seq")]
