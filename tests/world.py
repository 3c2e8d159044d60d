"""The world in which tests run: a home of their own, made before Django reads its settings, and no way outside.

Loaded first, as a plugin (`-p tests.world` in pyproject.toml). The database is SQLite in that home, or whatever
GUILDMARK_DATABASE_URL says.
"""

from __future__ import annotations

import os
import tempfile

_HOME = tempfile.TemporaryDirectory(prefix="guildmark-test-")
os.environ["GUILDMARK_HOME"] = _HOME.name
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guildmark.app.settings")
# Lists of the cast are made at a moment of its own and read whenever the tests run; tests of their end set it.
os.environ["GUILDMARK_STATUS_DAYS"] = "0"
for name in (
    "GUILDMARK_STATUS_DELAY",
    "GUILDMARK_BASE_URL",
    "GUILDMARK_EVM_URL",
    "GUILDMARK_EMAIL_URL",
    "GUILDMARK_HTTPS",
    "GUILDMARK_DEBUG",
    "GUILDMARK_WEBHOOKS_INSIDE",
    "GUILDMARK_TERMS_URL",
    "GUILDMARK_PRIVACY_URL",
    "GUILDMARK_VC_API",
):
    os.environ.pop(name, None)
