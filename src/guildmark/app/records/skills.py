"""What is needed: frameworks, job ads, mentions of skills, demand."""

from __future__ import annotations

from django.db import models


class SkillFramework(models.Model):
    id = models.CharField(max_length=80, primary_key=True)
    title = models.CharField(max_length=200)
    version = models.CharField(max_length=80)
    licence = models.TextField()
    loaded_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class Skill(models.Model):
    framework = models.ForeignKey(SkillFramework, on_delete=models.CASCADE, related_name="skills")
    uri = models.CharField(max_length=300)
    label = models.CharField(max_length=300)
    alt_labels = models.JSONField(default=list)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=20)
    codes = models.JSONField(default=dict)

    class Meta:
        ordering = ["framework", "label", "uri"]
        constraints = [models.UniqueConstraint(fields=["framework", "uri"], name="one_skill_per_uri")]


class JobAd(models.Model):
    """A job ad as it came in; the same text from the same source is one ad."""

    id = models.CharField(max_length=200, primary_key=True)
    source = models.CharField(max_length=300)
    title = models.CharField(max_length=300, blank=True)
    employer = models.CharField(max_length=300, blank=True)
    place = models.CharField(max_length=300, blank=True)
    posted = models.DateField(null=True)
    text = models.TextField()
    text_sha256 = models.CharField(max_length=64, unique=True)
    ingested_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class Mention(models.Model):
    """A skill found in an ad, with the words that show it: `text[start:end]`."""

    ad = models.ForeignKey(JobAd, on_delete=models.CASCADE, related_name="mentions")
    framework = models.ForeignKey(SkillFramework, on_delete=models.CASCADE)
    skill_uri = models.CharField(max_length=300, db_index=True)
    label = models.CharField(max_length=300)
    words = models.CharField(max_length=300)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    confidence = models.FloatField()

    class Meta:
        ordering = ["ad", "start", "skill_uri"]
        constraints = [
            models.UniqueConstraint(fields=["ad", "framework", "skill_uri", "start"], name="one_mention_per_place")
        ]


class DemandSnapshot(models.Model):
    """Demand as it was on a day, frozen: `frozen` is `skills.demand.FrozenDemand` as JSON, with its hash."""

    id = models.UUIDField(primary_key=True)
    source = models.CharField(max_length=300)
    framework = models.CharField(max_length=80, blank=True, help_text="Whose skills were counted.")
    query = models.CharField(max_length=300, blank=True)
    on = models.DateField()
    of = models.PositiveIntegerField()
    lines = models.JSONField()
    frozen = models.JSONField()
    sha256 = models.CharField(max_length=64)
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ["measured_at", "id"]
