"""Copying what was published to files, for a process that died before it could."""

from __future__ import annotations

from django_tasks import task

from guildmark.app.services import publish


@task()
def publish_documents(paths: list[str]) -> str:
    """The files of these documents are what the database says now; mostly they are already."""
    publish.publish_documents(paths)
    return f"{len(paths)} published"
