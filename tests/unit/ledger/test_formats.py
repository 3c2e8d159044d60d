"""Notes, checkpoints and tiles are byte for byte those of C2SP; what is not is refused in a sentence."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paths import vectors
from tests.unit.ledger.cast import ORIGIN, Key, MemoryStore, naive_root

from guildmark.core.errors import BrokenInput
from guildmark.ledger.checkpoint import Checkpoint, checkpoint_digest, open_checkpoint, read_checkpoint
from guildmark.ledger.log import Log, audit
from guildmark.ledger.merkle import EMPTY_ROOT, verify_consistency
from guildmark.ledger.note import InvalidNote, VerifierKey, parse_note, sign_note
from guildmark.ledger.tiles import (
    MissingTile,
    TileTree,
    grow,
    read_bundle,
    tile_names,
    tile_path,
    tile_width,
    write_bundle,
)

# C2SP signed-note, section "Example"
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""


class Folder:
    def __init__(self, path):
        self.path = path

    def get(self, path):
        file = self.path / path
        return file.read_bytes() if file.is_file() else None


# --- notes -----------------------------------------------------------------------------------------------


def test_the_example_of_the_specification_verifies():
    key = VerifierKey.parse(EXAMPLE_KEY)
    assert parse_note(EXAMPLE_NOTE).signed_by([key]) == (key,)
    assert str(key) == EXAMPLE_KEY


def test_a_changed_text_is_not_signed_and_an_unknown_key_is_ignored():
    key = VerifierKey.parse(EXAMPLE_KEY)
    with pytest.raises(InvalidNote, match=r"example\.com/foo"):
        parse_note(EXAMPLE_NOTE.replace("example message", "other message")).signed_by([key])
    stranger = VerifierKey.of("example.com/foo", Key().public_key)
    assert parse_note(EXAMPLE_NOTE).signed_by([stranger]) == ()


def test_our_note_is_text_blank_line_dash_name_signature():
    note = sign_note("hello\n", Key(), ORIGIN)
    key = VerifierKey.of(ORIGIN, Key().public_key)
    text, signature = note.split("\n\n")
    assert (text, signature[:2], signature.split(" ")[1], note[-1]) == ("hello", "— ", ORIGIN, "\n")
    assert base64.b64decode(signature.split(" ")[2])[:4] == key.key_id
    assert parse_note(note).signed_by([VerifierKey.parse(str(key))]) == (key,)


def test_a_note_may_hold_empty_lines_and_many_signatures_of_strangers():
    note = sign_note("one\n\ntwo\n", Key(), ORIGIN)
    for i in range(16):
        other = sign_note("one\n\ntwo\n", Key(bytes([i]) * 32), f"witness{i}.example")
        note += other.split("\n\n")[-1]
    parsed = parse_note(note)
    assert parsed.body == "one\n\ntwo\n"
    assert len(parsed.signatures) == 17
    assert len(parsed.signed_by([VerifierKey.of(ORIGIN, Key().public_key)])) == 1


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("", "no empty line"),
        ("text\n", "no empty line"),
        ("text\n\n", "no signature"),
        (EXAMPLE_NOTE[:-1], "no empty line"),
        (EXAMPLE_NOTE.replace("—", "-"), "not a signature line"),
        (EXAMPLE_NOTE.replace("\n", "\r\n"), "control character"),
        (EXAMPLE_NOTE.replace("Uw2Q", "U!2Q"), "not base64"),
        (EXAMPLE_NOTE.replace("aQM=", "aQN="), "not base64"),  # a second spelling of the same bytes
        ("text\n\n— a.example AAAA\n", "too short"),
        ("text\n\n— a+b AAAAAAAA\n", "not a signature line"),
        ("x" * 200_000, "longer than"),
        (b"\xff\n\n", "not UTF-8"),
        ("\ud800\n\n", "not UTF-8"),
    ],
)
def test_what_is_no_note_is_refused_in_a_sentence(note, says):
    with pytest.raises(BrokenInput, match=says):
        parse_note(note)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("example.com/foo", "three parts"),
        (EXAMPLE_KEY.replace("530d903a", "530d903b"), "does not belong"),
        (EXAMPLE_KEY.replace("example.com/foo", "example.com/fop"), "does not belong"),
        (EXAMPLE_KEY.replace("AekyeR", "BekyeR"), "not of the kind Ed25519"),
        (EXAMPLE_KEY[:-8], "not base64|not of the kind"),
        (EXAMPLE_KEY + "!", "not base64"),
        ("two words+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "not a key name"),
    ],
)
def test_what_is_no_verifier_key_is_refused_in_a_sentence(key, says):
    with pytest.raises(BrokenInput, match=says):
        VerifierKey.parse(key)


# --- checkpoints -----------------------------------------------------------------------------------------


def test_a_checkpoint_is_origin_size_and_root():
    checkpoint = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert checkpoint.body == f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    key = VerifierKey.of(ORIGIN, Key().public_key)
    assert open_checkpoint(checkpoint.sign(Key()), [key]) == checkpoint


def test_extension_lines_are_kept_and_signed():
    checkpoint = Checkpoint(ORIGIN, 3, b"r" * 32, ("something else",))
    assert read_checkpoint(checkpoint.sign(Key())) == checkpoint


def test_a_key_signs_only_for_the_origin_that_it_is_named_after():
    text = sign_note(Checkpoint("other.example/log", 3, b"r" * 32).body, Key(), ORIGIN)
    with pytest.raises(BrokenInput, match=r"not signed by a known key of other\.example/log"):
        open_checkpoint(text, [VerifierKey.of(ORIGIN, Key().public_key)])


def test_the_anchored_digest_does_not_depend_on_who_has_signed():
    checkpoint = Checkpoint(ORIGIN, 3, b"r" * 32)
    mine = checkpoint.sign(Key())
    witnessed = mine + sign_note(checkpoint.body, Key(b"W" * 32), "witness.example").split("\n\n")[1]
    assert checkpoint_digest(mine) == checkpoint_digest(witnessed.encode())
    assert len(checkpoint_digest(mine)) == 32


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (f"{ORIGIN}\n1\n", "three or more lines"),
        (f"\n1\n{'A' * 43}=\n", "three or more lines"),
        (f"{ORIGIN}\n01\n{'A' * 43}=\n", "no tree size"),
        (f"{ORIGIN}\n-1\n{'A' * 43}=\n", "no tree size"),
        (f"{ORIGIN}\n١\n{'A' * 43}=\n", "no tree size"),
        (f"{ORIGIN}\n{2**63}\n{'A' * 43}=\n", "no tree size"),
        (f"{ORIGIN}\n{'9' * 5000}\n{'A' * 43}=\n", "no tree size"),
        (f"{ORIGIN}\n1\nAAAA\n", "should have 32"),
        (f"{ORIGIN}\n1\n{'A' * 42}B=\n", "not base64"),
        (f"{ORIGIN}\n1\n{'A' * 43}=", "newline"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_a_sentence(body, says):
    with pytest.raises(BrokenInput, match=says):
        Checkpoint.parse(body)


# --- tiles, against Tessera ------------------------------------------------------------------------------


def test_tile_names_are_those_of_the_specification():
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 0, 3) == "tile/entries/000.p/3"
    assert tile_path(1, 999) == "tile/1/999"
    assert tile_path(1, 1000) == "tile/1/x001/000"
    names = [tile_path(*name) for name in tile_names(70_000) if name[0] != "entries"]
    # the example in C2SP tlog-tiles, "Partial Tiles"
    assert len([n for n in names if n.startswith("tile/0/") and ".p" not in n]) == 273
    assert [n for n in names if ".p" in n] == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert "tile/1/000" in names
    assert [tile_path(*name) for name in tile_names(256)] == [
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    ]
    assert tile_width(0, 274, 70_000) == 0


@pytest.mark.parametrize("size", range(16))
def test_tesseras_log_opens_at_every_size(size):
    folder = vectors("tessera-log")
    key = VerifierKey.parse((folder / "vkey.txt").read_text())
    checkpoint = open_checkpoint((folder / f"checkpoint.{size}").read_bytes(), [key])
    assert checkpoint.size == size
    assert checkpoint.body == parse_note((folder / f"checkpoint.{size}").read_bytes()).body
    tree = TileTree(Folder(folder), size)
    assert tree.root() == checkpoint.root
    if size:
        leaves = tree.bundle(0)
        assert naive_root(leaves) == checkpoint.root
        last = open_checkpoint((folder / "checkpoint").read_bytes(), [key])
        proof = TileTree(Folder(folder), last.size).consistency(size)
        roots = {"old_root": checkpoint.root, "new_root": last.root}
        assert verify_consistency(old=size, new=last.size, **roots, proof=proof)


@pytest.mark.parametrize("size", range(1, 16))
def test_we_write_the_files_that_tessera_wrote(size):
    folder = vectors("tessera-log")
    leaves = TileTree(Folder(folder), 15).bundle(0)
    grown = grow(Folder(folder), size - 1, [leaves[size - 1]])
    assert set(grown.files) == {tile_path(*name) for name in tile_names(size)}
    for path, data in grown.files.items():
        assert data == (folder / path).read_bytes(), path


# The key of Tessera's test log, published in its testdata/build_log.sh (Apache-2.0) for anybody to use.
TESSERA_SEED = base64.b64decode("AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg")[1:]


def test_our_log_with_tesseras_key_and_entries_is_tesseras_log_byte_for_byte():
    folder = vectors("tessera-log")
    store = MemoryStore()
    log = Log(store, Key(TESSERA_SEED), "example.com/log/testdata")
    assert str(log.vkey) == (folder / "vkey.txt").read_text().strip()
    assert log.publish().text == (folder / "checkpoint.0").read_text()
    for size, leaf in enumerate(TileTree(Folder(folder), 15).bundle(0), 1):
        store.append(leaf)
        assert log.publish().text == (folder / f"checkpoint.{size}").read_text()
    for path, data in store.tiles.files.items():
        assert data == (folder / path).read_bytes(), path


def test_tesseras_log_passes_our_audit():
    folder = vectors("tessera-log")
    key = VerifierKey.parse((folder / "vkey.txt").read_text())
    report = audit(Folder(folder), (folder / "checkpoint").read_bytes(), [key])
    assert [f.verdict.value for f in report.findings] == ["pass"] * 4


def test_a_full_tile_serves_where_the_partial_one_was_deleted():
    leaves = [b"%d" % i for i in range(256)]
    files = dict(grow(Folder(vectors("tessera-log") / "nothing"), 0, leaves).files)
    tree = TileTree(files, 200)  # a dict has `get` too
    assert tree.root() == naive_root(leaves[:200])
    assert tree.bundle(0) == tuple(leaves[:200])


def test_a_missing_or_short_tile_is_named():
    with pytest.raises(MissingTile, match=r"tile/0/000\.p/3: is missing"):
        TileTree({}, 3).root()
    with pytest.raises(MissingTile, match="95 bytes instead of 96"):
        TileTree({"tile/0/000.p/3": b"x" * 95}, 3).root()
    with pytest.raises(MissingTile, match="1 entries instead of 3"):
        TileTree({"tile/entries/000.p/3": b"\0\1a"}, 3).bundle(0)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_reads_back(entries):
    data = write_bundle(entries)
    assert list(read_bundle(data)) == entries
    if data:
        with pytest.raises(BrokenInput, match="ends within entry"):
            read_bundle(data + b"\0")


def test_an_entry_longer_than_its_length_field_is_refused():
    with pytest.raises(BrokenInput, match="longer than 65,535"):
        grow({}, 0, [b"x" * 65_536])
    assert grow({}, 0, [b"x" * 65_535]).size == 1
