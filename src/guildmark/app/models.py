"""Django looks for tables here; they are written, file by room, in `records`."""

from guildmark.app.records import *  # noqa: F403 - re-exports every record to Django
