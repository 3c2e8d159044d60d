"""What is remembered: entries waiting for the log, its last checkpoint, anchors. The tiles are files."""

from __future__ import annotations

from django.db import models

from guildmark.app.records.credential import Award
from guildmark.app.records.fields import BytesField


class LogEntry(models.Model):
    """A leaf of the log; `index` is empty while it waits. Written in the transaction of what it records."""

    leaf = BytesField()
    kind = models.CharField(max_length=40)
    issuer = models.CharField(max_length=500, db_index=True)
    award = models.OneToOneField(Award, on_delete=models.PROTECT, null=True, related_name="log_entry")
    index = models.PositiveBigIntegerField(null=True, unique=True)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]


class LogCheckpoint(models.Model):
    """The one row that holds the last signed checkpoint of a log; it moves only forward, by compare-and-swap."""

    origin = models.CharField(max_length=300, primary_key=True)
    size = models.PositiveBigIntegerField()
    text = models.TextField()

    class Meta:
        ordering = ["origin"]


class Anchoring(models.Model):
    """Where the digest of a checkpoint was written on a chain."""

    checkpoint = models.TextField()
    chain = models.CharField(max_length=80)
    digest = BytesField()
    facts = models.JSONField()
    evidence = models.BooleanField(help_text="False on a test chain: it shows that the code works and proves nothing.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
