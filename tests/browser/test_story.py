"""The whole story through the pages, by people with a browser each: with JavaScript, and without it."""

from __future__ import annotations

import pytest

from tests.browser.story import Story


@pytest.mark.slow
@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_a_stranger_who_founds_a_college_to_a_revoked_credential(site, browser, tmp_path, java_script):
    Story(site, browser, tmp_path, java_script=java_script).tell()
