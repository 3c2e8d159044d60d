"""What happened, and what still has to be told."""

from __future__ import annotations

from django.db import models

from guildmark.app.records.people import Person


class Event(models.Model):
    """One step in the story, appended in the transaction that made it true."""

    at = models.DateTimeField()
    actor = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=80)
    subject = models.CharField(max_length=300)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]


class OutboxMessage(models.Model):
    """An e-mail to be sent. Written with what it tells of, sent later by a task; an award never waits for mail."""

    to = models.EmailField()
    subject = models.CharField(max_length=300)
    body = models.TextField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    dead = models.BooleanField(default=False)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
