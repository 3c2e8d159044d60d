import django.db.models.deletion
import guildmark.app.records.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("guildmark", "0008_needs_and_corrections"),
    ]

    operations = [
        migrations.CreateModel(
            name="AwardList",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("columns", "Columns"),
                            ("ready", "Ready"),
                            ("running", "Running"),
                            ("stopped", "Stopped"),
                            ("done", "Done"),
                        ],
                        default="columns",
                        max_length=20,
                    ),
                ),
                ("source", models.CharField(help_text="The system that the results come from.", max_length=200)),
                ("file_name", models.CharField(max_length=200)),
                ("file_sha256", models.CharField(max_length=64)),
                ("body", guildmark.app.records.fields.BytesField()),
                ("columns", models.JSONField(default=dict, help_text="Column key -> place in the file.")),
                ("date_order", models.CharField(blank=True, max_length=5)),
                ("uploaded_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("runner", models.CharField(blank=True, help_text="Which worker has it.", max_length=40)),
                ("beat_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=500)),
                (
                    "offering",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="award_lists", to="guildmark.offering"
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-uploaded_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="TransferredResult",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("row", models.PositiveIntegerField()),
                ("source", models.CharField(max_length=200)),
                ("reference", models.CharField(blank=True, help_text="The learner's number there.", max_length=100)),
                ("assessed_on", models.DateField()),
                ("marks", models.JSONField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "award_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="results", to="guildmark.awardlist"
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transferred",
                        to="guildmark.enrolment",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["recorded_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="AwardListRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="As a spreadsheet counts: the heading is row 1.")),
                (
                    "state",
                    models.CharField(
                        choices=[("ready", "Ready"), ("awarded", "Awarded"), ("already", "Already"), ("bad", "Bad")],
                        max_length=10,
                    ),
                ),
                ("email", models.EmailField(blank=True, db_index=True, max_length=254)),
                ("data", models.JSONField(default=dict, help_text="assess.result_list.ListedResult as JSON")),
                (
                    "problems",
                    models.JSONField(default=list, help_text="[field, what to mend] each; never a name or an address."),
                ),
                (
                    "award",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="guildmark.award"
                    ),
                ),
                (
                    "award_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="guildmark.awardlist"
                    ),
                ),
            ],
            options={
                "ordering": ["award_list", "number"],
                "indexes": [models.Index(fields=["award_list", "state", "number"], name="award_list_rows_by_state")],
                "constraints": [models.UniqueConstraint(fields=("award_list", "number"), name="one_row_per_number")],
            },
        ),
    ]
