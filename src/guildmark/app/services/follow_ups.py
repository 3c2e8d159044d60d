"""Work that a verb leaves for later, enqueued in the verb's own transaction.

Tasks stand above services and call them, so services name a task and `settings.FOLLOW_UPS` says where it lives.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

_gathered: ContextVar[set[str] | None] = ContextVar("_gathered", default=None)


def enqueue(name: str, *args: Any) -> None:
    """The task called `name` will run with `args` once the transaction is committed and a worker is there."""
    gathered = _gathered.get()
    if gathered is not None and not args:
        gathered.add(name)
    else:
        _task(name).enqueue(*args)


@contextmanager
def each_once() -> Iterator[None]:
    """Tasks without arguments that are enqueued within are enqueued once, at the end; use it inside one transaction.

    A hundred awards in a transaction then order one delivery of mail and not a hundred, of which the last ninety-nine
    would find nothing to do.
    """
    token = _gathered.set(set())
    try:
        yield
        names = _gathered.get() or set()
    finally:
        _gathered.reset(token)
    for name in sorted(names):
        enqueue(name)


def enqueue_once_at(name: str, when: datetime) -> None:
    """The task called `name` will run at `when`, unless it will run earlier anyway; then it can order itself again."""
    from django_tasks_db.models import DBTaskResult, TaskResultStatus, get_date_max

    task = _task(name)
    waiting = DBTaskResult.objects.filter(task_path=task.module_path, status=TaskResultStatus.READY)
    if not waiting.filter(Q(run_after__lte=when) | Q(run_after=get_date_max())).exists():  # the latter: at once
        task.using(run_after=when).enqueue()


def _task(name: str) -> Any:
    return import_string(settings.FOLLOW_UPS[name])
