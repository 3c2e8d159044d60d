"""Sign, canonicalize, bake, unbake, status and the options of verify: files in, files out, codes for scripts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guildmark.cli import main
from guildmark.cli.sign import SUITES
from guildmark.core.codecs import jcs
from guildmark.credential.badge_image import badge_png, badge_svg
from guildmark.credential.canonical import canonical_form
from tests.cli.test_verify import SVG, publish
from tests.paths import PROJECT
from tests.unit.credential.award_cast import HARBOUR, INDEX, LIST, award, lists, signed_award, web

SAMPLE = PROJECT / "docs" / "sample"
NOW = ("--now", "2026-11-24T10:00:00Z")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a verb in a folder of its own; (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUILDMARK_KEY_PASSPHRASE", "correct horse")
    publish(web(), tmp_path / "web")

    def run(*words: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        said = capfdbinary.readouterr()
        return int(ended.value.code or 0), said.out.decode(), said.err.decode()

    return run


def unsigned(issuer: str) -> dict[str, Any]:
    document = award(status_entry=None, endorsements=[])
    return {**document, "issuer": {**document["issuer"], "id": issuer}}


def key_and_document(run: Run, kind: str) -> str:
    """`issuer.key` and `badge.json`, which names its owner as the issuer."""
    code, out, err = run("keys", "new", "issuer.key", "--kind", kind, "--json")
    assert code == 0, err
    issuer = str(json.loads(out)["id"]).partition("#")[0]
    Path("badge.json").write_text(json.dumps(unsigned(issuer), indent=1))
    return issuer


# --- Sign ---


@pytest.mark.parametrize(
    ("kind", "suite"),
    [
        ("Ed25519", None),
        ("P-256", None),
        ("P-384", None),
        ("RSA", None),
        ("Ed25519", "eddsa-jcs-2022"),
        ("P-256", "ecdsa-jcs-2019"),
        ("Ed25519", "vc-jwt"),
        ("P-256", "vc-jose"),
        ("Ed25519", "sd-jwt"),
    ],
)
def test_what_is_signed_holds_and_a_changed_copy_does_not(run: Run, kind: str, suite: str | None) -> None:
    key_and_document(run, kind)
    code, out, err = run(
        "sign", "badge.json", "--key", "issuer.key", *(["--suite", suite] if suite else []), "--out", "signed"
    )
    assert (code, out, err) == (0, "", "")
    body = Path("signed").read_bytes()
    code, out, _ = run("verify", "signed", "--documents", "web", *NOW)
    assert code == 0, out
    if body.startswith(b"{"):
        changed = body.replace(b"Harbour University", b"Harbour Academy")
    else:
        head, payload, rest = body.split(b".", 2)
        claims = json.loads(base64.urlsafe_b64decode(payload + b"=="))
        made = base64.urlsafe_b64encode(json.dumps({**claims, "name": "Master"}).encode()).rstrip(b"=")
        changed = b".".join([head, made, rest])
    assert changed != body
    Path("changed").write_bytes(changed)
    assert run("verify", "changed", "--documents", "web", *NOW)[0] == 1


def test_the_date_of_a_proof_is_the_one_given_and_the_same_call_gives_the_same_bytes(run: Run) -> None:
    key_and_document(run, "Ed25519")
    call = ("sign", "badge.json", "--key", "issuer.key", "--created", "2026-11-24T09:30:00Z")
    code, out, _ = run(*call)
    assert code == 0
    assert json.loads(out)["proof"]["created"] == "2026-11-24T09:30:00Z"
    assert run(*call)[1] == out


def test_a_second_signature_stands_beside_the_first(run: Run) -> None:
    key_and_document(run, "Ed25519")
    run("sign", "badge.json", "--key", "issuer.key", "--out", "one.json")
    assert run("sign", "one.json", "--key", "issuer.key")[2].startswith("guildmark: one.json: is signed already;")
    run("sign", "one.json", "--key", "issuer.key", "--suite", "eddsa-jcs-2022", "--add", "--out", "two.json")
    suites = [proof["cryptosuite"] for proof in json.loads(Path("two.json").read_bytes())["proof"]]
    assert suites == ["eddsa-rdfc-2022", "eddsa-jcs-2022"]
    assert run("verify", "two.json", "--documents", "web", *NOW)[0] == 0


def test_a_holders_copy_says_what_is_always_shown(run: Run) -> None:
    from guildmark.credential.disclosure import disclose

    key_and_document(run, "P-256")
    code, out, _ = run("sign", "badge.json", "--key", "issuer.key", "--suite", "ecdsa-sd-2023")
    assert code == 0
    shown = disclose(json.loads(out), ["/credentialSubject/achievement/name"])
    assert {"issuer", "validFrom", "validUntil"} <= shown.keys()
    assert "evidence" not in shown


def test_hidden_parts_of_a_token_are_not_in_it(run: Run) -> None:
    key_and_document(run, "Ed25519")
    code, out, _ = run("sign", "badge.json", "--key", "issuer.key", "--suite", "sd-jwt", "--hide", "/evidence")
    assert code == 0
    payload = out.split("~")[0].split(".")[1]
    assert "evidence" not in json.loads(base64.urlsafe_b64decode(payload + "=="))


def test_what_will_not_hold_is_said_and_signed_nevertheless(run: Run) -> None:
    key_and_document(run, "Ed25519")
    Path("badge.json").write_text(json.dumps({**unsigned(HARBOUR.id), "credentialSubject": {"type": ["X"]}}))
    code, out, err = run("sign", "badge.json", "--key", "issuer.key", "--suite", "eddsa-jcs-2022")
    if code == 0:
        assert json.loads(out)["proof"]
    assert f"note: its issuer is {HARBOUR.id}, and the key belongs to did:key:" in err or code == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--suite", "ecdsa-rdfc-2019"), "a key of kind Ed25519 cannot make this signature"),
        (("--suite", "vc-jwt", "--add"), "--add: is of no use with vc-jwt; use eddsa-rdfc-2022"),
        (("--hide", "/evidence"), "--hide: is of no use with eddsa-rdfc-2022; use sd-jwt"),
        (("--suite", "sd-jwt", "--hide", "/nothing"), "/nothing"),
        (("--created", "today"), "--created: 'today' is not a date and time"),
        (("--suite", "frobnicate"), "'frobnicate' is not one of"),
        (("--out", "web"), "web is a folder"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_sentence(run: Run, options: tuple[str, ...], says: str) -> None:
    key_and_document(run, "Ed25519")
    code, out, err = run("sign", "badge.json", "--key", "issuer.key", *options)
    assert (code, out) == (2, "")
    assert says in err


def test_a_term_that_nobody_defines_is_not_signed(run: Run) -> None:
    key_and_document(run, "Ed25519")
    Path("badge.json").write_text(json.dumps({**unsigned(HARBOUR.id), "distinction": "with honours"}))
    code, _, err = run("sign", "badge.json", "--key", "issuer.key")
    assert code == 2
    assert "badge.json: cannot be signed whole: “distinction” is not a term of its contexts" in err


def test_a_wrong_passphrase_opens_no_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    key_and_document(run, "Ed25519")
    monkeypatch.setenv("GUILDMARK_KEY_PASSPHRASE", "wrong")
    code, _, err = run("sign", "badge.json", "--key", "issuer.key")
    assert code == 2
    assert err.startswith("guildmark: issuer.key: ")


def test_each_suite_that_is_offered_is_one_that_signs() -> None:
    from guildmark.credential.proof import SIGNING_SUITES

    assert SUITES[:4] == SIGNING_SUITES
    assert len(set(SUITES)) == len(SUITES)


# --- Canonicalize ---


def test_the_canonical_form_is_printed_and_its_hash_is_that_of_the_text(run: Run) -> None:
    Path("a.json").write_text(json.dumps(signed_award(), indent=3))
    bare = {name: value for name, value in signed_award().items() if name != "proof"}
    for form in ("rdfc", "jcs"):
        code, out, err = run("canonicalize", "a.json", "--bare", "--form", form)
        assert (code, err) == (0, "")
        assert out.encode() == canonical_form(bare, form).data
        hashed = run("canonicalize", "a.json", "--bare", "--form", form, "--hash")[1]
        assert hashed == hashlib.sha256(out.encode()).hexdigest() + "\n"


def test_what_the_canonical_form_leaves_out_is_said(run: Run) -> None:
    Path("a.json").write_text(json.dumps({**signed_award(), "distinction": "with honours"}))
    code, out, err = run("canonicalize", "a.json")
    assert code == 1
    assert "honours" not in out
    assert err == "not in it: “distinction” is not a term of its contexts\n"
    assert run("canonicalize", "a.json", "--form", "jcs")[0] == 0


# --- Bake and unbake ---


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_what_goes_into_an_image_comes_out_byte_for_byte_and_verifies(run: Run, kind: str) -> None:
    svg = badge_svg(title="Data", issuer_name=HARBOUR.name, issuer_id=HARBOUR.id)
    Path(f"badge.{kind}").write_bytes(svg.encode() if kind == "svg" else badge_png(svg))
    Path("a.json").write_bytes(jcs(signed_award()) + b"\n")
    assert run("bake", f"badge.{kind}", "a.json", "--out", f"award.{kind}") == (0, "", "")
    code, out, _ = run("unbake", f"award.{kind}")
    assert (code, out.encode()) == (0, jcs(signed_award()))
    assert run("verify", f"award.{kind}", "--documents", "web", *NOW)[0] == 0
    code, _, err = run("bake", f"award.{kind}", "a.json", "--out", f"again.{kind}")
    assert code == 2
    assert f"award.{kind}: already carries a credential" in err
    assert run("bake", f"award.{kind}", "a.json", "--overwrite", "--out", f"again.{kind}")[0] == 0
    assert Path(f"again.{kind}").read_bytes() == Path(f"award.{kind}").read_bytes()


def test_what_is_no_credential_is_not_baked(run: Run) -> None:
    Path("badge.svg").write_bytes(SVG)
    Path("noise").write_bytes(b"\xff\xfe")
    code, out, err = run("bake", "badge.svg", "noise")
    assert (code, out) == (2, "")
    assert err.startswith("guildmark: noise: ")
    assert run("unbake", "badge.svg")[2].startswith("guildmark: badge.svg: carries no credential;")


# --- Status ---


def test_a_status_list_shows_how_many_entries_it_has_and_which_are_set(run: Run) -> None:
    Path("list.json").write_bytes(lists(HARBOUR, {INDEX: ("revoked", "misconduct"), 3: ("suspended", "appeal")})[LIST])
    code, out, _ = run("status", "show", "list.json", "--index", "4", "--index", str(INDEX), "--json")
    assert code == 0
    told = json.loads(out)
    assert told["entries"] == 131_072
    assert told["purpose"] == ["revocation"]
    assert told["set"] == {"3": 1, str(INDEX): 1}
    assert told["set_in_all"] == 2
    assert told["entry"] == {"4": 0, str(INDEX): 1}
    lines = run("status", "show", "list.json", "--index", "4")[1].splitlines()
    assert "entries:    131,072" in lines
    assert "entry 4:    not set" in lines


def test_a_list_of_reasons_has_a_byte_for_each_entry(run: Run) -> None:
    found = lists(HARBOUR, {INDEX: ("revoked", "misconduct")})
    Path("reasons.json").write_bytes(found[f"{LIST}/reasons"])
    told = json.loads(run("status", "show", "reasons.json", "--size", "8", "--json")[1])
    assert told["entries"] == 131_072
    assert told["set"] == {str(INDEX): 18}
    assert told["set_in_all"] == 1
    assert run("status", "show", "reasons.json", "--size", "3")[0] == 2


def test_an_entry_beyond_the_list_and_what_is_no_list_are_one_sentence(run: Run) -> None:
    Path("list.json").write_bytes(lists(HARBOUR)[LIST])
    Path("a.json").write_bytes(jcs(signed_award()))
    for words, says in (
        (("list.json", "--index", "131072"), "list.json: has 131,072 entries, and none at 131,072."),
        (("a.json",), "a.json: is no Bitstring status list;"),
    ):
        code, out, err = run("status", "show", *words)
        assert (code, out) == (2, "")
        assert says in err
        assert err.count("\n") == 1


def test_a_credential_is_asked_about_alone(run: Run) -> None:
    folder = ("--documents", str(SAMPLE / "web"))
    code, out, _ = run("status", "check", SAMPLE / "credential.json", *folder, "--now", "2026-12-01T00:00:00Z")
    assert code == 0
    assert "proof.signature" not in out
    code, out, _ = run("status", "check", SAMPLE / "revoked.json", *folder, "--now", "2026-12-01T00:00:00Z")
    assert code == 1
    assert "Revoked: issued in error." in out
    document = json.loads((SAMPLE / "revoked.json").read_bytes())
    document["credentialStatus"]["statusListIndex"] = "1"
    Path("moved.json").write_text(json.dumps(document))
    code, out, _ = run("status", "check", "moved.json", *folder, "--now", "2026-12-01T00:00:00Z")
    assert code == 3
    assert "Whether this is the entry that its issuer gave it cannot be told." in out
    Path("other.json").write_text('{"payload": "e30", "signatures": []}')
    assert run("status", "check", "other.json", "--documents", "web", *NOW)[0] == 3


# --- Verify: profile, receipt, trust ---


def test_the_strict_profile_refuses_what_the_tolerant_one_only_mentions(run: Run) -> None:
    issuer = key_and_document(run, "Ed25519")
    document = unsigned(issuer)
    document["credentialSubject"]["type"] = "AchievementSubject"
    document["evidence"] = document["evidence"][0]
    Path("badge.json").write_text(json.dumps(document))
    run("sign", "badge.json", "--key", "issuer.key", "--out", "a.json")
    call = ("verify", "a.json", "--documents", "web", *NOW)
    for _ in range(2):
        assert run(*call)[0] == 0
        code, out, _ = run(*call, "--profile", "strict")
        assert code == 1
        assert "FAIL     document.structure" in out


def test_a_receipt_and_a_policy_add_their_findings(run: Run) -> None:
    call = ("verify", SAMPLE / "credential.json", "--documents", SAMPLE / "web", "--now", "2026-12-01T00:00:00Z")
    log = ("--receipt", SAMPLE / "receipt.txt", "--vkey", SAMPLE / "web" / "log" / "vkey")
    code, out, _ = run(*call, *log, "--trust", SAMPLE / "trust.toml", "--json")
    assert code == 0
    found = {finding["id"]: finding["verdict"] for finding in json.loads(out)["findings"]}
    assert found["ledger.inclusion"] == found["trust.issuer"] == found["trust.fresh-status"] == "pass"
    later = (*call[:-1], "2027-06-01T00:00:00Z")
    code, out, _ = run(*later, "--trust", SAMPLE / "trust.toml")
    assert code == 1
    assert "FAIL     trust.fresh-status  The status list is at most 30 days old: not met." in out
    assert run(*call, "--vkey", SAMPLE / "web" / "log" / "vkey")[2].startswith(
        "guildmark: --vkey: is of no use without"
    )


def test_the_lists_of_a_policy_lie_beside_it_and_nowhere_else(run: Run) -> None:
    text = (SAMPLE / "trust.toml").read_text()
    before = 'accredited = ["did:web:demo.guildmark.example:issuers:harbour-university"]'
    assert before in text
    Path("policy").mkdir()
    Path("policy/members.txt").write_text("did:web:demo.guildmark.example:issuers:harbour-university\n")
    Path("outside.txt").write_text("did:web:mallory.example\n")
    call = ("verify", SAMPLE / "credential.json", "--documents", SAMPLE / "web", "--now", "2026-12-01T00:00:00Z")
    for name, code in (("members.txt", 0), ("../outside.txt", 2), ("/etc/passwd", 2), ("missing.txt", 2)):
        Path("policy/p.toml").write_text(text.replace(before, f'accredited = "{name}"'))
        found, out, err = run(*call, "--trust", "policy/p.toml")
        assert found == code, (name, out, err)
        assert code == 0 or err.count("\n") == 1
