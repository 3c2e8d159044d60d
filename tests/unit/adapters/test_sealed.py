"""A small secret at rest: opens for its own place, under its own passphrase, and for nothing else."""

from __future__ import annotations

import pytest

from guildmark.adapters.sealed import open_secret, seal_secret
from guildmark.core.codecs import jcs, parse_json
from guildmark.core.errors import BrokenInput

ENTROPY = bytes(range(32))


def sealed(secret=b"thirty-two secret bytes, or less", **changes):
    facts = {"name": "webhook:1", "entropy": ENTROPY, "passphrase": "correct horse", **changes}
    return seal_secret(secret, **facts)


def test_what_was_sealed_opens_and_is_not_in_clear():
    box = sealed()
    assert open_secret(box, name="webhook:1", passphrase="correct horse") == b"thirty-two secret bytes, or less"
    assert b"thirty" not in box
    assert box == sealed(), "the same arguments give the same bytes"
    assert box != sealed(entropy=bytes(32))


@pytest.mark.parametrize(("name", "passphrase"), [("webhook:2", "correct horse"), ("webhook:1", "wrong horse")])
def test_another_place_or_passphrase_does_not_open_it(name, passphrase):
    with pytest.raises(BrokenInput, match="does not open"):
        open_secret(sealed(), name=name, passphrase=passphrase)


@pytest.mark.parametrize("member", ["salt", "nonce", "sealed"])
@pytest.mark.parametrize("value", [None, 7, "", "!!", "AAAA"])
def test_a_changed_member_does_not_open(member, value):
    box = jcs({**parse_json(sealed()), member: value})
    with pytest.raises(BrokenInput, match="does not open"):
        open_secret(box, name="webhook:1", passphrase="correct horse")


@pytest.mark.parametrize("bytes_", [b"", b"[]", b"7", b"{}", b"not json"])
def test_what_is_no_sealed_secret_is_broken_input(bytes_):
    with pytest.raises(BrokenInput):
        open_secret(bytes_, name="webhook:1", passphrase="correct horse")


def test_too_little_entropy_and_an_empty_passphrase_are_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        sealed(entropy=b"short")
    with pytest.raises(BrokenInput, match="passphrase is empty"):
        sealed(passphrase="")
