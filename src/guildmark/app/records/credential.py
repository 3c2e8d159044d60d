"""What is proven: awards with their signed documents, and the status lists."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from guildmark.app.records.assess import Decision
from guildmark.app.records.fields import BytesField
from guildmark.app.records.people import Learner, Organisation, Person


class StatusList(models.Model):
    """One Bitstring Status List of an issuer with its sibling of reasons; `bits` and `reasons` are the raw lists."""

    number = models.PositiveIntegerField(primary_key=True)
    issuer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="status_lists")
    size = models.PositiveIntegerField()
    bits = BytesField()
    reasons = BytesField()
    seq = models.PositiveIntegerField(default=0, help_text="Grows by one with every published version.")
    published = BytesField(null=True, help_text="The signed list as last published.")
    published_reasons = BytesField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]


class Award(models.Model):
    """A credential that was awarded. `document` is the signed credential, byte for byte, and never changes.

    It is empty, as are salt, nonce and receipt, once its learner was erased; its place in the status list stays taken.
    """

    class State(models.TextChoices):
        VALID = "valid", _("Valid")
        SUSPENDED = "suspended", _("Suspended")
        REVOKED = "revoked", _("Revoked")

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=20, choices=[("badge", "badge"), ("clr", "clr")], default="badge")
    credential_id = models.CharField(max_length=300, unique=True)
    learner = models.ForeignKey(Learner, on_delete=models.PROTECT, related_name="awards")
    issuer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="awards")
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True, related_name="award")
    title = models.CharField(max_length=300)
    document = BytesField()
    salt = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=State.choices, default=State.VALID)
    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="awards")
    status_index = models.PositiveIntegerField()
    issued_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    awarded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    claim_sha256 = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the claim token, never the token."
    )
    claimed_at = models.DateTimeField(null=True)
    nonce = BytesField(help_text="Blinds the leaf in the log; deleting it makes the leaf match nothing.")
    receipt = models.TextField(blank=True)
    replaces = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="replacement",
        help_text="The award that this one corrects; that one is revoked.",
    )

    class Meta:
        ordering = ["issued_at", "id"]
        # Without it SQLite looks through all awards of an issuer for one learner's, at each row of a list of thousands.
        indexes = [models.Index(fields=["learner", "issuer"], name="award_by_learner_and_issuer")]
        constraints = [
            models.UniqueConstraint(fields=["status_list", "status_index"], name="one_award_per_status_index"),
            models.CheckConstraint(condition=Q(kind="clr") | Q(decision__isnull=False), name="badge_has_a_decision"),
        ]

    def __str__(self):
        return f"{self.title}: {self.learner_id}"


class StatusChange(models.Model):
    """A suspension, reinstatement or revocation, with its reason code; appended, never edited."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="status_changes")
    state = models.CharField(max_length=20, choices=Award.State.choices)
    code = models.CharField(max_length=60)
    note = models.TextField(blank=True)
    by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
