"""Where Django learns about guildmark: one app that holds every table."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GuildmarkConfig(AppConfig):
    name = "guildmark.app"
    label = "guildmark"
    verbose_name = "guildmark"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """After every run of migrations the database refuses to change an event."""
        from guildmark.app.records.append_only import guard_events

        post_migrate.connect(guard_events, sender=self, dispatch_uid="guildmark.guard_events")
