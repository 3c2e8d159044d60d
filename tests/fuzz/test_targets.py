"""The targets hold for their seeds, for a thousand changed copies, and for whatever once broke a promise."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from guildmark.core.report import Verdict
from guildmark.credential.verify import verify_credential
from tests.fuzz import seeds, targets
from tests.fuzz.__main__ import CRASHES
from tests.fuzz.mutate import mutated
from tests.unit.credential import award_cast as cast

ONCE = sorted(path for path in CRASHES.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", targets.TARGETS)
def test_each_seed_holds(name):
    found = [body for body in seeds.of(name) if len(body) <= targets.LARGEST]
    assert len(found) >= 5
    for body in found:
        targets.TARGETS[name](body)


@pytest.mark.parametrize("path", ONCE, ids=lambda path: str(path.relative_to(CRASHES)))
def test_what_once_broke_a_promise_does_not_any_more(path: Path):
    targets.play(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("name", targets.TARGETS)
def test_changed_copies_hold_too(name):
    rng = random.Random(20261124)
    found = [body for body in seeds.of(name) if len(body) <= targets.LARGEST]
    for _ in range(60):
        body = rng.choice(found)
        copy = mutated(body, rng.randrange(2**31)) or body[: rng.randrange(len(body) + 1)]
        targets.TARGETS[name](copy)


def test_what_was_really_signed_passes_so_that_a_changed_copy_could():
    """Otherwise “never a false pass” would say nothing."""
    for body in seeds.signed()[:-1]:
        report = verify_credential(body, now=cast.LATER, fetcher=targets._world())
        passed = report.verdict is Verdict.PASS
        assert passed or b"demo.guildmark" in body, report.to_json()
    assert len(targets.genuine()) >= 5


def test_a_change_is_seen_as_one():
    document = seeds.documents()[0]
    assert targets.meaning(document) == targets.meaning(b" " + document + b"\n")
    assert targets.meaning(document) != targets.meaning(document.replace(b"Harbour", b"Harbor"))
    assert mutated(document, 7) != document


def test_a_false_pass_would_be_noticed(monkeypatch):
    monkeypatch.setattr(targets, "genuine", frozenset)
    with pytest.raises(AssertionError, match="nobody signed that"):
        targets.verify(seeds.documents()[0])


def test_a_target_that_takes_long_would_be_noticed(monkeypatch):
    monkeypatch.setitem(targets.SECONDS, "json", 0.0)
    with pytest.raises(AssertionError, match="took"):
        targets.play("json", b"{}")
