"""What can rot is compared: docs/cli.md with the help texts, the README with the commands, links with files."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import click
import pytest

from tests.paths import PROJECT

STEPS = (
    "Skills", "Design", "Co-design", "Quality gate", "Delivery and assessment", "Award", "Ledger", "Verify", "Stack",
    "Match", "Feedback",
)  # fmt: skip
PAGES = sorted(
    [PROJECT / name for name in ("README.md", "CHANGELOG.md")] + list((PROJECT / "docs").rglob("*.md")),
)


def commands() -> list[tuple[str, click.Command, click.Context]]:
    """(name as typed, command, its context) of every verb, in the order of `guildmark --help`."""
    from guildmark.cli import cli

    found: list[tuple[str, click.Command, click.Context]] = []

    def walk(name: str, command: click.Command, parent: click.Context | None) -> None:
        settings = {"terminal_width": 100, **command.context_settings}
        context = click.Context(command, info_name=name.split()[-1], parent=parent, **settings)
        found.append((name, command, context))
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                walk(f"{name} {child}", command.get_command(context, child), context)

    walk("guildmark", cli, None)
    return found


def cli_page() -> str:
    """docs/cli.md as it should be."""
    parts = ["# Commands", "", "Written by `python3 dev.py docs` from the help texts; a test compares the two.", ""]
    for name, command, context in commands():
        parts += [f"## {name}", "", "```", command.get_help(context), "```", ""]
    return "\n".join(parts)


def test_the_page_of_commands_is_what_the_commands_say():
    page = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == cli_page(), "run python3 dev.py docs"


def test_every_verb_says_what_it_does_and_shows_an_example():
    silent = [
        name
        for name, command, _ in commands()
        if not isinstance(command, click.Group) and "Example: guildmark" not in (command.help or "")
    ]
    assert silent == []


def _fenced(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(PROJECT)))
def test_every_command_in_a_page_is_one_that_exists(page):
    known = {name for name, _, _ in commands()}
    verbs = re.findall(r'^ {4}"(\w+)": ', (PROJECT / "dev.py").read_text(encoding="utf-8"), re.MULTILINE)
    for line in "".join(_fenced(page, "sh")).splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[:2] == ["python3", "dev.py"]:
            assert words[2] in verbs, line
        elif words[0].endswith("guildmark"):
            depth = 3 if words[1] in ("site", "log") else 2
            assert " ".join(["guildmark", *words[1:depth]]) in known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(PROJECT)))
def test_every_link_within_the_project_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


def test_the_map_says_where_each_step_lives_and_each_place_exists():
    page = (PROJECT / "docs" / "map.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if re.match(r"\| *\d+ ", line)
    ]
    assert [row[0].split(maxsplit=1)[1] for row in rows] == list(STEPS)
    places = {place for row in rows for place in re.findall(r"`([\w./-]+/[\w./-]*)`", " ".join(row))}
    assert len(places) >= len(STEPS)
    assert [place for place in sorted(places) if not (PROJECT / "src" / "guildmark" / place).exists()] == []


def test_every_room_is_on_the_map():
    page = (PROJECT / "docs" / "map.md").read_text(encoding="utf-8")
    rooms = [p.name for p in (PROJECT / "src" / "guildmark").iterdir() if (p / "__init__.py").exists()]
    assert [room for room in rooms if f"`{room}/`" not in page] == []


def test_the_readme_gives_the_command_that_ci_calls():
    readme = "".join(_fenced(PROJECT / "README.md", "sh"))
    ci = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("python3 dev.py test", "python3 dev.py demo"):
        assert command in readme
        assert command in ci


def test_the_sample_in_the_readme_prints_what_the_readme_shows():
    """The first screen: verify a sample, read its report. Both stand in the README as a person would see them."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```sh\n(\.venv/bin/guildmark verify [^\n]+)\n```\n\n```text\n(.*?)```", readme, re.DOTALL)
    assert shown, "the README verifies a sample and shows its report"
    words = shlex.split(shown[1])[1:]
    done = subprocess.run(
        [sys.executable, "-c", "from guildmark.cli import main; main()", *words, "--now", "2026-12-01T00:00:00Z"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == shown[2].strip()


if __name__ == "__main__":
    (PROJECT / "docs" / "cli.md").write_text(cli_page(), encoding="utf-8")
