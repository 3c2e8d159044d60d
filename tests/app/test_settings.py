"""A site that nobody configured is safe, and one behind a proxy has nothing to be told by `check --deploy`."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys

import pytest

ASK = (
    "from django.conf import settings as s; import json; print(json.dumps({n: getattr(s, n) for n in %r}, default=str))"
)


def _environment(home, **given):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GUILDMARK_")}
    return {**kept, "GUILDMARK_HOME": str(home), "DJANGO_SETTINGS_MODULE": "guildmark.app.settings", **given}


def _ask(home, *names, **given):
    import json

    done = subprocess.run(
        [sys.executable, "-c", ASK % (list(names),)],
        env=_environment(home, **given), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_processes_that_start_at_once_share_one_secret_that_only_their_owner_can_read(tmp_path):
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", ASK % (["SECRET_KEY", "KEY_PASSPHRASE"],)],
            env=_environment(tmp_path / "new"), stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    said = {program.communicate()[0] for program in programs}
    assert len(said) == 1
    assert len(said.pop()) > 100
    folder = tmp_path / "new" / "secrets"
    assert sorted(path.name for path in folder.iterdir()) == ["key_passphrase", "secret_key"]
    assert _mode(folder) == 0o700
    assert {_mode(path) for path in folder.iterdir()} == {0o600}


def test_an_empty_secret_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secret_key").touch()
    done = subprocess.run(
        [sys.executable, "-c", ASK % (["SECRET_KEY"],)],
        env=_environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "secret_key is empty; restore it from backup" in done.stderr


def test_a_site_that_nobody_configured_answers_this_machine_only_and_shows_no_traceback(tmp_path):
    found = _ask(tmp_path, "DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_HTTPONLY", "X_FRAME_OPTIONS")
    assert found["DEBUG"] is False
    assert set(found["ALLOWED_HOSTS"]) == {"localhost", "127.0.0.1", "[::1]", "demo.guildmark.example"}
    assert found["SESSION_COOKIE_HTTPONLY"] is True
    assert found["X_FRAME_OPTIONS"] == "DENY"


def test_the_site_answers_under_its_own_name_and_under_those_that_are_given(tmp_path):
    own = _ask(tmp_path, "ALLOWED_HOSTS", GUILDMARK_BASE_URL="https://badges.example.edu:8443/micro")
    assert "badges.example.edu" in own["ALLOWED_HOSTS"]
    given = _ask(tmp_path, "ALLOWED_HOSTS", GUILDMARK_ALLOWED_HOSTS="a.example, b.example,")
    assert given["ALLOWED_HOSTS"] == ["a.example", "b.example"]


def test_status_lists_end_unless_a_site_says_otherwise(tmp_path):
    assert _ask(tmp_path, "STATUS_VALID", "STATUS_DELAY") == {
        "STATUS_VALID": "30 days, 0:00:00",
        "STATUS_DELAY": "0:00:00",
    }
    given = {"GUILDMARK_STATUS_DAYS": "0", "GUILDMARK_STATUS_DELAY": "900"}
    assert _ask(tmp_path, "STATUS_VALID", "STATUS_DELAY", **given) == {
        "STATUS_VALID": "0:00:00",
        "STATUS_DELAY": "0:15:00",
    }


@pytest.mark.parametrize("text", ["-1", "367", "30d", "1.5", "9999999", "٣"])
def test_a_time_that_is_no_small_whole_number_is_refused_in_a_sentence(tmp_path, text):
    done = subprocess.run(
        [sys.executable, "-c", ASK % (["STATUS_VALID"],)],
        env=_environment(tmp_path, GUILDMARK_STATUS_DAYS=text), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "write a whole number from 0 to 366" in done.stderr.splitlines()[-1]


def test_behind_a_proxy_djangos_deployment_check_finds_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        env=_environment(tmp_path, GUILDMARK_HTTPS="1"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("said", ["Not Found: /claim/0123abcd", 'GET "/claim/0123abcd/certificate.pdf" 500'])
def test_a_log_never_holds_a_claim_link(said):
    from guildmark.app.web.security import NoClaimLinks

    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "%s", (said,), None)
    assert NoClaimLinks().filter(record)
    assert "0123abcd" not in record.getMessage()
    assert "/claim/..." in record.getMessage()


def test_an_error_on_a_page_is_logged_where_an_operator_can_see_it(settings):
    for name in ("django", "django_tasks", "django_tasks_db"):
        assert settings.LOGGING["loggers"][name]["handlers"] == ["stderr"]
    assert settings.LOGGING["handlers"]["stderr"]["filters"] == ["no_claim_links"]
