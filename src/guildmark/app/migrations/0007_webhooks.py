import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import guildmark.app.records.fields


class Migration(migrations.Migration):
    dependencies = [
        ("guildmark", "0006_programs"),
    ]

    operations = [
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("url", models.CharField(max_length=500)),
                ("kinds", models.JSONField(help_text="The kinds of event that are sent, such as award.made.")),
                (
                    "sealed",
                    guildmark.app.records.fields.BytesField(
                        help_text="The secret as adapters.sealed keeps it: scrypt and AES-GCM."
                    ),
                ),
                ("sealed_before", guildmark.app.records.fields.BytesField(null=True)),
                ("before_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("disabled_at", models.DateTimeField(null=True)),
                ("disabled_because", models.CharField(blank=True, max_length=300)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_endpoints",
                        to="guildmark.organisation",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=60)),
                ("payload", guildmark.app.records.fields.BytesField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("held", "Held"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(help_text="Only while it waits.", null=True)),
                ("last_attempt_at", models.DateTimeField(null=True)),
                (
                    "last_status",
                    models.PositiveIntegerField(
                        help_text="HTTP status of the last answer, if there was one.", null=True
                    ),
                ),
                (
                    "last_answer",
                    models.CharField(blank=True, help_text="What was answered, or why nothing was.", max_length=300),
                ),
                ("created_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="guildmark.webhookendpoint",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["state", "next_attempt_at"], name="webhook_deliveries_due"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["endpoint", "created_at"], name="webhook_deliveries_recent"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_attempt_at__isnull", False), ("state", "waiting")),
                    models.Q(models.Q(("state", "waiting"), _negated=True), ("next_attempt_at__isnull", True)),
                    _connector="OR",
                ),
                name="waiting_deliveries_have_a_moment",
            ),
        ),
    ]
