"""What happened, and what still has to be told."""

from __future__ import annotations

from django.db import models

from guildmark.app.records.people import Organisation, Person


class Event(models.Model):
    """One step in the story, appended in the transaction that made it true; changed or deleted never.

    `organisation` is the one that acted, `other` another that it concerns; both find it in their trail. The database
    itself refuses to change or delete a row, see `records.append_only`.
    """

    at = models.DateTimeField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    other = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
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
