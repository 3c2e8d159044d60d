"""The whole story through the pages, by people with a browser each: with JavaScript, and without it.

Every page that they reach is looked at: axe finds nothing on it, wide and narrow, light and dark, in each language.
"""

from __future__ import annotations

import pytest

from guildmark.app import settings
from tests.browser.looks import Looks, Seen
from tests.browser.story import Story
from tests.interop.peers import MODULES, need_packages

AXE = (MODULES / "axe-core" / "package.json").exists()


@pytest.fixture(scope="module")
def seen_in_others() -> Seen:
    """What was judged in the languages that the story is not told in, by whichever play came to it first."""
    return set()


@pytest.mark.slow
@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_a_stranger_who_founds_a_college_to_a_revoked_credential(
    site, browser, tmp_path, java_script, seen_in_others
):
    languages = [code for code, _ in settings.LANGUAGES]
    looks = Looks(browser, languages, java_script=java_script, seen_in_others=seen_in_others) if AXE else None
    Story(site, browser, tmp_path, java_script=java_script, look=looks).tell()
    need_packages("axe-core")  # without it the story was told, and nobody looked
    assert looks.wrong == [], "\n".join(looks.wrong)
    assert looks.not_mirrored == [], "each page is judged in each language"
    assert len(looks.addresses) > 50, "the looks came along"
