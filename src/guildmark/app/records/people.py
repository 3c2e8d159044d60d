"""People, organisations, their keys, and what learners agreed to."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from guildmark.app.records.fields import BytesField


class Person(AbstractUser):
    """Somebody who signs in. Staff of organisations, and learners once they open an account."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10, blank=True, help_text="For e-mails; empty until it is known.")

    REQUIRED_FIELDS = ["email"]

    def save(self, *args, **kwargs):
        if self.id is None:  # createsuperuser brings no id; the app is where ids come from
            import uuid

            self.id = uuid.uuid4()
        super().save(*args, **kwargs)

    def __str__(self):
        return self.name or self.username


class Organisation(models.Model):
    """A provider, an industry partner or a regulator; the same one may endorse and hire (then it is an employer)."""

    class Kind(models.TextChoices):
        PROVIDER = "provider", _("Provider")
        PARTNER = "partner", _("Partner")
        REGULATOR = "regulator", _("Regulator")

    id = models.UUIDField(primary_key=True)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    did = models.CharField(max_length=500, unique=True)
    country = models.CharField(max_length=2)
    url = models.URLField(blank=True)
    facts = models.JSONField(default=dict, help_text="What frameworks ask about a provider: register, regulation, QA.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Membership(models.Model):
    """What a person may do for an organisation."""

    class Role(models.TextChoices):
        ADMIN = "admin", _("Admin")
        DESIGNER = "designer", _("Designer")
        MARKER = "marker", _("Marker")
        AWARDER = "awarder", _("Awarder")
        PARTNER = "partner", _("Partner")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        ordering = ["organisation", "person", "role"]
        constraints = [
            models.UniqueConstraint(fields=["person", "organisation", "role"], name="one_membership_per_role")
        ]


class RegisterNumber(models.Model):
    """A number under which a public register knows an organisation, and who looked there, when, and what they saw.

    It says that the register lists the number, and for whom. That the organisation is that one is another matter:
    see `facts["checked"]`.
    """

    class State(models.TextChoices):
        CLAIMED = "claimed", _("Claimed")
        FOUND = "found", _("Found")
        NOT_FOUND = "not found", _("Not Found")

    id = models.UUIDField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="register_numbers")
    scheme = models.CharField(max_length=20)
    number = models.CharField(max_length=60)
    state = models.CharField(max_length=20, choices=State.choices, default=State.CLAIMED)
    claimed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField()
    looked_by = models.CharField(max_length=200, blank=True, help_text="The register itself, or a named person.")
    looked_at = models.DateTimeField(null=True)
    saw = models.TextField(blank=True, help_text="What they looked at, and what it said.")

    class Meta:
        ordering = ["claimed_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "scheme"], name="one_number_per_scheme"),
            models.CheckConstraint(
                condition=models.Q(state="claimed") | (models.Q(looked_at__isnull=False) & ~models.Q(saw="")),
                name="looked_at_by_somebody",
            ),
        ]


class Invitation(models.Model):
    """An offer of a role to whoever reads this e-mail address; the token is kept as a hash, and used once."""

    id = models.UUIDField(primary_key=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Membership.Role.choices)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["invited_at", "id"]


class OrganisationKey(models.Model):
    """A signing key: the public half in clear, the private half encrypted under GUILDMARK_KEY_PASSPHRASE."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="keys", null=True)
    key_id = models.CharField(max_length=600, unique=True)
    purpose = models.CharField(max_length=20, choices=[("issue", "issue"), ("log", "log")], default="issue")
    algorithm = models.CharField(max_length=20)
    public_key = BytesField()
    sealed = BytesField(help_text="The key file of adapters.keys: scrypt and AES-GCM.")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "key_id"]


class Learner(models.Model):
    """Somebody who learns and holds credentials, with or without an account.

    Once erased, the row only keeps apart what was counted; who it was is nowhere (decision 0007).
    """

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(unique=True)
    person = models.OneToOneField(Person, on_delete=models.SET_NULL, null=True, related_name="learner")
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self):
        return self.name


class Consent(models.Model):
    """One agreement by a learner to one purpose; withdrawn is kept, not deleted, so that both moments can be shown."""

    class Purpose(models.TextChoices):
        MATCHING = "matching", _("Matching")
        OUTCOMES = "outcomes", _("Outcomes")

    learner = models.ForeignKey(Learner, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    granted_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["granted_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "purpose"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_live_consent_per_purpose",
            )
        ]
