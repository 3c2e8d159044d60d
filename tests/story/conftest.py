"""The demo, told once for everything that is claimed about it."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import override_settings


@pytest.fixture(scope="package")
def told(django_db_setup, django_db_blocker, tmp_path_factory):
    """(the folder that the demo left, the story itself), told once for all claims of this folder."""
    from guildmark.cli.demo.story import Story

    folder = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), override_settings(HOME=folder, DEMO=True):
        story = Story(folder)
        story.tell()
        yield folder, story
        call_command("flush", interactive=False, verbosity=0)
