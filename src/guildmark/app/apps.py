"""Where Django learns about guildmark: one app that holds every table."""

from django.apps import AppConfig


class GuildmarkConfig(AppConfig):
    name = "guildmark.app"
    label = "guildmark"
    verbose_name = "guildmark"
    default_auto_field = "django.db.models.BigAutoField"
