"""Documents at hand: an index from address to file, and nothing outside its directory."""

from __future__ import annotations

import json

import pytest

from guildmark.adapters import documents
from guildmark.adapters.documents import DirectoryFetcher, WithDocuments
from guildmark.core.doors import NoNetwork
from guildmark.core.errors import BrokenInput, OutsideFailure

URL = "https://a.example/x"


def folder(path, index, **files):
    (path / "index.json").write_bytes(index if isinstance(index, bytes) else json.dumps(index).encode())
    for name, body in files.items():
        (path / name).write_bytes(body)
    return path


def test_a_document_is_read_byte_for_byte_with_the_type_that_the_index_gives(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.json").write_bytes(b'{"a":1}\r\n')
    folder(tmp_path, {URL: {"file": "deep/x.json", "type": "application/did+json"}})
    found = DirectoryFetcher(tmp_path).fetch(URL)
    assert (found.url, found.body, found.media_type) == (URL, b'{"a":1}\r\n', "application/did+json")


def test_the_index_may_name_a_file_alone(tmp_path):
    found = DirectoryFetcher(str(folder(tmp_path, {URL: "x"}, x=b"body"))).fetch(URL)
    assert (found.body, found.media_type) == (b"body", "")


def test_a_fragment_names_a_part_of_the_same_document(tmp_path):
    fetcher = DirectoryFetcher(folder(tmp_path, {URL: "x"}, x=b"body"))
    assert fetcher.fetch(f"{URL}#key-1").body == b"body"


def test_the_file_is_read_when_it_is_asked_for(tmp_path):
    fetcher = DirectoryFetcher(folder(tmp_path, {URL: "x"}, x=b"before"))
    (tmp_path / "x").write_bytes(b"after")
    assert fetcher.fetch(URL).body == b"after"


@pytest.mark.parametrize("url", ["https://a.example/y", "https://a.example/X", "https://a.example/x/", "x", ""])
def test_another_address_is_not_at_hand(tmp_path, url):
    with pytest.raises(OutsideFailure, match="is not among the documents at hand"):
        DirectoryFetcher(folder(tmp_path, {URL: "x"}, x=b"body")).fetch(url)


@pytest.mark.parametrize("file", ["gone", "index.json/x", ".", "x" * 300])
def test_a_file_that_is_missing_fails_only_when_it_is_asked_for(tmp_path, file):
    fetcher = DirectoryFetcher(folder(tmp_path, {URL: file, "https://a.example/y": "y"}, y=b"there"))
    assert fetcher.fetch("https://a.example/y").body == b"there"
    with pytest.raises(OutsideFailure, match=f"{URL} is among the documents, but its file"):
        fetcher.fetch(URL)


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    fetcher = DirectoryFetcher(folder(tmp_path, {URL: "x", "https://a.example/y": "y"}, x=b"12345", y=b"1234"))
    monkeypatch.setattr(documents, "LARGEST", 4)
    assert fetcher.fetch("https://a.example/y").body == b"1234"
    with pytest.raises(OutsideFailure, match="larger than 4 bytes"):
        fetcher.fetch(URL)


@pytest.mark.parametrize(
    "file", ["../secret", "a/../../secret", "/etc/passwd", "..", "x/../..", "\0", "link", "link/secret", "circle"]
)
@pytest.mark.parametrize("plain", [True, False])
def test_an_index_that_points_outside_is_refused(tmp_path, file, plain):
    (tmp_path / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    (inside / "circle").symlink_to(inside / "circle")
    with pytest.raises(BrokenInput, match=f"{URL} points outside the directory; move the file inside"):
        DirectoryFetcher(folder(inside, {URL: file if plain else {"file": file}}))


def test_a_directory_whose_name_begins_alike_is_outside(tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web-private").mkdir()
    (tmp_path / "web-private" / "x").write_bytes(b"secret")
    with pytest.raises(BrokenInput, match="points outside"):
        DirectoryFetcher(folder(tmp_path / "web", {URL: "../web-private/x"}))


def test_a_file_that_becomes_a_link_to_outside_is_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    fetcher = DirectoryFetcher(folder(inside, {URL: "x"}, x=b"body"))
    (inside / "x").unlink()
    (inside / "x").symlink_to(tmp_path / "secret")
    with pytest.raises(OutsideFailure, match="its file is elsewhere now"):
        fetcher.fetch(URL)


def test_a_link_that_stays_inside_is_followed(tmp_path):
    folder(tmp_path, {URL: "link"}, x=b"body")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    assert DirectoryFetcher(tmp_path).fetch(URL).body == b"body"


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON at line 1"),
        (b"\xff", "not UTF-8"),
        (b"[]", "is not an object of addresses"),
        (b'"x"', "is not an object of addresses"),
        (b"null", "is not an object of addresses"),
        (b'{"u": "x", "u": "y"}', "stands twice"),
        (b'{"https://a.example/x": 1}', "https://a.example/x has no “file”"),
        (b'{"https://a.example/x": {}}', "https://a.example/x has no “file”"),
        (b'{"https://a.example/x": {"file": 1}}', "https://a.example/x has no “file”"),
        (b'{"https://a.example/x": ["x"]}', "https://a.example/x has no “file”"),
        (b'{"https://a.example/x": null}', "https://a.example/x has no “file”"),
        (b'{"https://a.example/x": {"file": "x", "type": 1}}', "“type” of https://a.example/x is not text"),
        (b"[" * 5000, "nested too deeply"),
    ],
)
def test_a_malformed_index_is_one_sentence_that_names_the_file(tmp_path, index, says):
    with pytest.raises(BrokenInput) as refused:
        DirectoryFetcher(folder(tmp_path, index))
    said = str(refused.value)
    assert said.startswith(f"{tmp_path / 'index.json'}: ")
    assert says in said
    assert "\n" not in said


def test_a_directory_without_an_index_is_one_sentence_that_shows_one(tmp_path):
    with pytest.raises(BrokenInput, match=r"index\.json: cannot be read \(No such file or directory\); write one like"):
        DirectoryFetcher(tmp_path)
    with pytest.raises(BrokenInput, match="cannot be read"):
        DirectoryFetcher(tmp_path / "nowhere")
    (tmp_path / "index.json").mkdir()
    with pytest.raises(BrokenInput, match="cannot be read"):
        DirectoryFetcher(tmp_path)


def test_an_index_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "LARGEST", 10)
    with pytest.raises(BrokenInput, match="larger than 10 bytes"):
        DirectoryFetcher(folder(tmp_path, b"{          }"))


def test_a_document_at_hand_goes_before_the_others(tmp_path):
    others = DirectoryFetcher(folder(tmp_path, {URL: "x", f"{URL}y": "y"}, x=b"old", y=b"other"))
    fetcher = WithDocuments({URL: b"new"}, others)
    assert fetcher.fetch(URL).body == b"new"
    assert fetcher.fetch(f"{URL}#key-1").body == b"new"
    assert fetcher.fetch(f"{URL}y").body == b"other"
    with pytest.raises(OutsideFailure):
        WithDocuments({URL: b"new"}, NoNetwork()).fetch(f"{URL}y")
