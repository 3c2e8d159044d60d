"""What is shown: offerings, enrolments, activities, submissions, marks and decisions."""

from __future__ import annotations

from django.db import models

from guildmark.app.records.design import BlueprintVersion
from guildmark.app.records.people import Learner, Person


class Offering(models.Model):
    """One run of a blueprint version: open (self-paced) or between two dates."""

    id = models.UUIDField(primary_key=True)
    blueprint_version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="offerings")
    title = models.CharField(max_length=300)
    opens_on = models.DateField()
    closes_on = models.DateField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["opens_on", "title", "id"]


class Activity(models.Model):
    """Something to do, at any time: text, media, practice. `key` is its id within the offering."""

    offering = models.ForeignKey(Offering, on_delete=models.CASCADE, related_name="activities")
    key = models.SlugField()
    title = models.CharField(max_length=300)
    kind = models.CharField(max_length=40)
    minutes = models.PositiveIntegerField()
    required = models.BooleanField(default=True)

    class Meta:
        ordering = ["offering", "id"]
        constraints = [models.UniqueConstraint(fields=["offering", "key"], name="one_activity_per_key")]


class Enrolment(models.Model):
    id = models.UUIDField(primary_key=True)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="enrolments")
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="enrolments")
    enrolled_at = models.DateTimeField()

    class Meta:
        ordering = ["enrolled_at", "id"]
        constraints = [models.UniqueConstraint(fields=["offering", "learner"], name="enrolled_once")]


class ActivityDone(models.Model):
    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="done")
    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="done")
    done_at = models.DateTimeField()

    class Meta:
        ordering = ["done_at", "id"]
        constraints = [models.UniqueConstraint(fields=["enrolment", "activity"], name="done_once")]


class Submission(models.Model):
    """A piece of work for one assessment; the file lies in the blob store under its SHA-256."""

    id = models.UUIDField(primary_key=True)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="submissions")
    assessment = models.CharField(max_length=100)
    title = models.CharField(max_length=300)
    media_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    submitted_at = models.DateTimeField()

    class Meta:
        ordering = ["submitted_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "assessment"], name="one_submission_per_assessment")
        ]


class Mark(models.Model):
    """One marker's level for one criterion of one submission."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="marks")
    criterion = models.CharField(max_length=100)
    marker = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="marks")
    level = models.CharField(max_length=100)
    comment = models.TextField(blank=True)
    marked_at = models.DateTimeField()

    class Meta:
        ordering = ["submission", "criterion", "marker"]
        constraints = [
            models.UniqueConstraint(fields=["submission", "criterion", "marker"], name="one_mark_per_marker")
        ]


class MarkCorrection(models.Model):
    """What a mark should have been, found after the award; appended beside the mark, which stays as it was given."""

    mark = models.ForeignKey(Mark, on_delete=models.PROTECT, related_name="corrections")
    level = models.CharField(max_length=100)
    reason = models.TextField()
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=~models.Q(reason=""), name="correction_has_a_reason")]


class Decision(models.Model):
    """The recorded decision on one enrolment: `document` is `assess.decision.Decision` as JSON."""

    id = models.UUIDField(primary_key=True)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="decisions")
    document = models.JSONField()
    passed = models.BooleanField()
    marks_sha256 = models.CharField(max_length=64)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["decided_at", "id"]
