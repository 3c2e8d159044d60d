"""Awards by list: the file as it was uploaded, its rows until each is settled, and results brought from elsewhere."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from guildmark.app.records.assess import Enrolment, Offering
from guildmark.app.records.credential import Award
from guildmark.app.records.fields import BytesField
from guildmark.app.records.people import Person


class AwardList(models.Model):
    """A file of learners to be awarded. `body` is the file until its list is started or too old, then empty.

    `beat_at` moves while a worker is at it; one that is still for a minute has lost its worker.
    """

    class State(models.TextChoices):
        COLUMNS = "columns", _("Columns")  # the columns are still to be named
        READY = "ready", _("Ready")  # read, and waiting for somebody to start it
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")  # something about the whole list has to be mended; then it goes on
        DONE = "done", _("Done")

    id = models.UUIDField(primary_key=True)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="award_lists")
    state = models.CharField(max_length=20, choices=State.choices, default=State.COLUMNS)
    source = models.CharField(max_length=200, help_text="The system that the results come from.")
    file_name = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    body = BytesField()
    columns = models.JSONField(default=dict, help_text="Column key -> place in the file.")
    date_order = models.CharField(max_length=5, blank=True)
    uploaded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    started_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    runner = models.CharField(max_length=40, blank=True, help_text="Which worker has it.")
    beat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-uploaded_at", "id"]

    @property
    def brings_results(self):
        return any(key.startswith("level_") for key in self.columns)


class AwardListRow(models.Model):
    """One row of a list. `data` and `email` say who it is until the row is settled, then they are empty."""

    class State(models.TextChoices):
        READY = "ready", _("Ready")
        AWARDED = "awarded", _("Awarded")
        ALREADY = "already", _("Already")
        BAD = "bad", _("Bad")

    award_list = models.ForeignKey(AwardList, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="As a spreadsheet counts: the heading is row 1.")
    state = models.CharField(max_length=10, choices=State.choices)
    email = models.EmailField(blank=True, db_index=True)
    data = models.JSONField(default=dict, help_text="assess.result_list.ListedResult as JSON")
    problems = models.JSONField(default=list, help_text="[field, what to mend] each; never a name or an address.")
    award = models.ForeignKey(Award, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["award_list", "number"]
        constraints = [models.UniqueConstraint(fields=["award_list", "number"], name="one_row_per_number")]
        indexes = [models.Index(fields=["award_list", "state", "number"], name="award_list_rows_by_state")]


class TransferredResult(models.Model):
    """Marks that were given outside this site, as a list brought them: `marks` are `assess.marking.Mark`s as JSON.

    The markers are named as the file names them; they have not confirmed it here, and whoever reads the decision is
    told so.
    """

    id = models.UUIDField(primary_key=True)
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="transferred")
    award_list = models.ForeignKey(AwardList, on_delete=models.PROTECT, related_name="results")
    row = models.PositiveIntegerField()
    source = models.CharField(max_length=200)
    reference = models.CharField(max_length=100, blank=True, help_text="The learner's number there.")
    assessed_on = models.DateField()
    marks = models.JSONField()
    recorded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["recorded_at", "id"]
