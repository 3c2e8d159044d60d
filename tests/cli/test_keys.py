"""`guildmark keys`: files that hold a key, its public forms, what its owner publishes; `verify --issuer-document`."""

from __future__ import annotations

import json

import pytest

from guildmark.adapters import keys as sealed
from guildmark.adapters.keys import open_key
from guildmark.cli import main
from guildmark.core.codecs import jcs
from guildmark.credential.did import did_document, key_of_did_jwk, key_of_did_key
from guildmark.credential.keys import PublicKey
from guildmark.credential.proof import sign_document
from guildmark.credential.resolve import place_of
from guildmark.credential.webvh import read_history
from tests.cli.test_verify import publish
from tests.unit.credential.award_cast import HARBOUR, NOW, award, signed_award, signer, web
from tests.unit.credential.test_webvh import no_witness

PASSPHRASE = "correct horse battery staple"
KEY_ID = "did:web:a.example#key-1"


@pytest.fixture
def keys(tmp_path, capsys, monkeypatch):
    """Run `guildmark keys` in a folder of its own; (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUILDMARK_KEY_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(sealed, "_N", 2**4)

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main(["keys", *map(str, words)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    run.folder = tmp_path
    return run


def made(keys, *words):
    """What `keys new` shows of a new key."""
    code, out, err = keys("new", *words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("kind", ["Ed25519", "P-256", "P-384", "RSA"])
def test_a_new_key_lies_sealed_in_a_file_and_shows_its_public_forms(keys, kind):
    shown = made(keys, "x.key", "--id", KEY_ID, "--kind", kind)
    file = keys.folder / "x.key"
    signer = open_key(file.read_bytes(), passphrase=PASSPHRASE)
    assert file.stat().st_mode & 0o077 == 0
    assert (signer.key_id, signer.algorithm) == (shown["id"], shown["kind"]) == (KEY_ID, kind)
    assert key_of_did_jwk(shown["did:jwk"]).public_key == signer.public_key
    assert json.loads(keys("show", "x.key", "--json")[1]) == shown
    code, out, _ = keys("show", "x.key")
    assert code == 0
    assert f"did:jwk:    {shown['did:jwk']}\n" in out
    if kind == "RSA":
        assert "multikey" not in shown
    else:
        assert key_of_did_key(shown["did:key"]).public_key == signer.public_key
        assert shown["did:key"] == f"did:key:{shown['multikey']}"


def test_a_key_without_a_name_names_itself(keys):
    shown = made(keys, "x.key")
    assert shown["id"] == f"{shown['did:key']}#{shown['multikey']}"
    shown = made(keys, "y.key", "--kind", "RSA")
    assert shown["id"] == f"{shown['did:jwk']}#0"


def test_two_new_keys_are_not_the_same(keys):
    assert made(keys, "x.key")["id"] != made(keys, "y.key")["id"]


def test_a_key_file_is_never_written_over(keys):
    made(keys, "x.key")
    before = (keys.folder / "x.key").read_bytes()
    assert keys("new", "x.key")[::2] == (2, "guildmark: x.key: cannot be written (File exists); name a new file.\n")
    assert keys("rename", "x.key", "x.key", "--id", KEY_ID)[0] == 2
    assert (keys.folder / "x.key").read_bytes() == before


def test_without_a_passphrase_nothing_is_sealed(keys, monkeypatch):
    monkeypatch.delenv("GUILDMARK_KEY_PASSPHRASE")
    code, out, err = keys("new", "x.key", "--id", KEY_ID)
    assert (code, out) == (2, "")
    assert err == f"guildmark: {KEY_ID}: the passphrase is empty; set GUILDMARK_KEY_PASSPHRASE.\n"
    assert list(keys.folder.iterdir()) == []


@pytest.mark.parametrize("key_id", ["key-1", "did:web:a.example", "http://a.example#1", ""])
def test_a_name_that_nobody_could_follow_is_refused(keys, key_id):
    code, _, err = keys("new", "x.key", "--id", key_id)
    assert code == 2
    assert "is no name for a key" in err


def test_a_key_gets_another_name_and_stays_the_same(keys):
    shown = made(keys, "x.key")
    assert keys("rename", "x.key", "y.key", "--id", KEY_ID)[0] == 0
    again = json.loads(keys("show", "y.key", "--json")[1])
    assert again == {**shown, "id": KEY_ID}


def test_another_passphrase_does_not_open_a_key(keys, monkeypatch):
    made(keys, "x.key")
    monkeypatch.setenv("GUILDMARK_KEY_PASSPHRASE", "another")
    code, _, err = keys("rename", "x.key", "y.key", "--id", KEY_ID)
    assert code == 2
    assert "the passphrase is another one" in err
    assert not (keys.folder / "y.key").exists()


# --- Documents --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "where"),
    [
        ("did:web:a.example", "https://a.example/.well-known/did.json"),
        ("did:web:a.example:x", "https://a.example/x/did.json"),
        ("https://a.example/issuers/1", "https://a.example/issuers/1"),
    ],
)
def test_the_document_of_an_owner_is_printed_with_where_it_belongs(keys, owner, where):
    made(keys, "x.key", "--id", f"{owner}#key-1")
    made(keys, "y.key", "--id", f"{owner}#key-2", "--kind", "RSA")
    code, out, err = keys("document", "x.key", "y.key", "--also-known-as", "https://a.example/")
    assert (code, err) == (0, f"Publish it at {where}\n")
    document = json.loads(out)
    assert place_of(out.encode()) == where
    assert document["assertionMethod"] == [f"{owner}#key-1", f"{owner}#key-2"]
    assert document["alsoKnownAs"] == ["https://a.example/"]
    assert [method["type"] for method in document["verificationMethod"]] == ["Multikey", "JsonWebKey"]
    document = json.loads(keys("document", "x.key", "--jwk")[1])
    assert [method["type"] for method in document["verificationMethod"]] == ["JsonWebKey"]


def test_an_identifier_that_is_its_key_needs_no_publishing(keys):
    shown = made(keys, "x.key")
    code, out, err = keys("document", "x.key")
    assert (code, err) == (0, "Nobody has to publish it: it follows from the identifier.\n")
    assert json.loads(out)["id"] == shown["did:key"]
    shown = made(keys, "y.key", "--kind", "RSA")
    assert json.loads(keys("document", "y.key")[1])["id"] == shown["did:jwk"]


def test_keys_of_two_owners_have_no_document_together(keys):
    made(keys, "x.key", "--id", KEY_ID)
    made(keys, "y.key", "--id", "did:web:b.example#key-1")
    code, out, err = keys("document", "x.key", "y.key")
    assert (code, out) == (2, "")
    assert "is not a key of did:web:a.example" in err


# --- did:webvh --------------------------------------------------------------------------------------------


def begun(keys):
    for name in ("now", "next", "later", "issuer", "other"):
        made(keys, f"{name}.key")
    words = ("--update-key", "now.key", "--next-key", "next.key", "--key", "issuer.key", "--out", "pub")
    code, out, err = keys("webvh", "create", "https://a.example/x", *words, "--now", "2026-01-01T00:00:00Z")
    assert code == 0, err
    return out.strip()


def history(keys, did):
    return read_history(did, (keys.folder / "pub" / "did.jsonl").read_bytes(), now=NOW, witness=no_witness)


def test_a_history_is_begun_handed_on_and_ended(keys):
    did = begun(keys)
    assert did.startswith("did:webvh:Qm")
    assert did.endswith(":a.example:x")
    assert history(keys, did).newest.document["assertionMethod"] == [f"{did}#key-1"]
    beside = json.loads((keys.folder / "pub" / "did.json").read_bytes())
    assert (beside["id"], beside["alsoKnownAs"]) == ("did:web:a.example:x", [did])
    before = history(keys, did).newest.document["verificationMethod"][0]["publicKeyMultibase"]
    words = ("--next-key", "later.key", "--key", "other.key", "--now", "2026-02-01T00:00:00Z")
    code, out, _ = keys("webvh", "rotate", "pub/did.jsonl", "--update-key", "next.key", *words)
    newest = history(keys, did).newest
    assert (code, out.strip(), newest.number) == (0, newest.id, 2)
    assert newest.document["verificationMethod"][0]["publicKeyMultibase"] != before
    assert before not in (keys.folder / "pub" / "did.json").read_text()
    words = ("--update-key", "later.key", "--now", "2026-03-01T00:00:00Z")
    assert keys("webvh", "deactivate", "pub/did.jsonl", *words)[0] == 0
    assert history(keys, did).deactivated


def test_a_key_that_was_not_committed_to_changes_nothing(keys):
    did = begun(keys)
    before = (keys.folder / "pub" / "did.jsonl").read_bytes()
    for verb in ("rotate", "deactivate"):
        for key in ("now.key", "other.key"):
            code, out, err = keys("webvh", verb, "pub/did.jsonl", "--update-key", key)
            assert (code, out) == (2, "")
            assert "did not commit to" in err
    assert (keys.folder / "pub" / "did.jsonl").read_bytes() == before
    assert history(keys, did).newest.number == 1


def test_a_history_that_is_there_is_not_begun_again(keys):
    begun(keys)
    words = ("--update-key", "now.key", "--key", "issuer.key", "--out", "pub")
    code, _, err = keys("webvh", "create", "https://a.example/x", *words)
    assert code == 2
    assert "is there already; use guildmark keys webvh rotate" in err


def test_the_next_key_may_be_given_as_its_multikey_so_that_its_file_stays_elsewhere(keys):
    made(keys, "now.key")
    away = made(keys, "next.key")["multikey"]
    (keys.folder / "next.key").rename(keys.folder / "in the safe")
    words = ("--update-key", "now.key", "--next-key", away, "--key", "now.key", "--portable")
    code, out, _ = keys("webvh", "create", "https://a.example", *words, "--now", "2026-01-01T00:00:00Z")
    assert (code, out.strip().rpartition(":")[2]) == (0, "a.example")
    code, _, _ = keys("webvh", "rotate", "did.jsonl", "--update-key", "in the safe", "--now", "2026-02-01T00:00:00Z")
    assert code == 0


@pytest.mark.parametrize("address", ["http://a.example", "https://127.0.0.1", "a.example", "https://a.example/x?y"])
def test_an_address_that_cannot_hold_a_history_is_refused(keys, address):
    made(keys, "now.key")
    code, out, err = keys("webvh", "create", address, "--update-key", "now.key", "--key", "now.key")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_only_ed25519_updates_a_history(keys):
    made(keys, "p.key", "--kind", "P-256")
    code, _, err = keys("webvh", "create", "https://a.example", "--update-key", "p.key", "--key", "p.key")
    assert code == 2
    assert "a key of kind P-256 cannot sign a did:webvh" in err


# --- verify --issuer-document -----------------------------------------------------------------------------


@pytest.fixture
def verify(tmp_path, capsys, monkeypatch):
    """The findings of `guildmark verify` on a credential, offline, with files as the issuers' documents."""
    monkeypatch.chdir(tmp_path)

    place = web()
    for url in [url for url in place.documents if url.endswith("did.json")]:
        del place.documents[url]
    publish(place, tmp_path / "web")

    def run(credential, *files):
        (tmp_path / "credential.json").write_bytes(jcs(credential))
        words = [word for name in files for word in ("--issuer-document", name)]
        now = ("--now", "2026-11-24T10:00:00Z")
        with pytest.raises(SystemExit) as ended:
            main(["verify", "credential.json", "--documents", "web", "--json", *now, *words])
        report = json.loads(capsys.readouterr().out)
        return ended.value.code, {found["id"]: found["verdict"] for found in report.get("findings", [])}

    return run


def test_the_issuers_document_may_lie_in_a_file(verify, tmp_path):
    (tmp_path / "issuer.json").write_bytes(jcs(did_document(HARBOUR.id, [signer(HARBOUR)])))
    _, found = verify(signed_award(), "issuer.json")
    assert (found["proof.signature"], found["proof.key_bound"]) == ("pass", "pass")


def test_a_document_in_a_file_that_does_not_list_the_key_does_not_bind_it(verify, tmp_path):
    other = PublicKey(f"{HARBOUR.id}#key-2", "Ed25519", bytes(range(32)))
    (tmp_path / "issuer.json").write_bytes(jcs(did_document(HARBOUR.id, [other])))
    _, found = verify(signed_award(), "issuer.json")
    assert found["proof.key_bound"] == "fail"


def test_a_document_in_a_file_about_somebody_else_tells_nothing(verify, tmp_path):
    (tmp_path / "issuer.json").write_bytes(
        jcs(did_document("did:web:b.example", [PublicKey("did:web:b.example#1", "Ed25519", bytes(32))]))
    )
    _, found = verify(signed_award(), "issuer.json")
    assert found["proof.key_bound"] == "unknown"


def test_the_issuer_may_be_a_did_webvh_whose_history_lies_in_a_file(verify, keys, tmp_path):
    did = begun(keys)
    assert keys("rename", "issuer.key", "signing.key", "--id", f"{did}#key-1")[0] == 0
    signing = open_key((tmp_path / "signing.key").read_bytes(), passphrase=PASSPHRASE)
    document = award()
    document["issuer"]["id"] = did
    signed = sign_document(document, signing, created=NOW)
    _, found = verify(signed, "pub/did.jsonl")
    assert (found["proof.signature"], found["proof.key_bound"]) == ("pass", "pass")
    log = tmp_path / "pub" / "did.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"portable":false', b'"portable":true'))
    _, found = verify(signed, "pub/did.jsonl")
    assert found["proof.key_bound"] == "fail"


def test_a_file_that_is_no_issuers_document_is_one_sentence(verify, tmp_path):
    (tmp_path / "issuer.json").write_bytes(b'{"id": "urn:uuid:1"}')
    assert verify(signed_award(), "issuer.json") == (2, {})
