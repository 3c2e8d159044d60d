"""Every test of the app has a home of its own for files, and may have the cast."""

from __future__ import annotations

import pytest

from tests.app import cast as cast_module


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def cast(db):
    return cast_module.cast()
