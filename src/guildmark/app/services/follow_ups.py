"""Work that a verb leaves for later, enqueued in the verb's own transaction.

Tasks stand above services and call them, so services name a task and `settings.FOLLOW_UPS` says where it lives.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


def enqueue(name: str, *args: Any) -> None:
    """The task called `name` will run with `args` once the transaction is committed and a worker is there."""
    import_string(settings.FOLLOW_UPS[name]).enqueue(*args)
