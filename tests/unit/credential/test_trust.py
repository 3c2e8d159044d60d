"""A policy says whose credentials are good enough; what it cannot tell is unknown, and never passes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.paths import PROJECT
from tests.unit.credential.award_cast import (
    HARBOUR,
    LATER,
    LIST,
    MALLORY,
    NORTHWIND,
    award,
    endorsement,
    lists,
    signed,
    signed_award,
    signer,
    verified,
    web,
)

from guildmark.core.codecs import jcs
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Finding, Report, Verdict
from guildmark.credential.proof import sign_document
from guildmark.credential.trust import read_trust, trust_findings

HEAD = 'id = "p"\ntitle = "P"\nversion = "1"\nsource = "S"\neffective_from = 2026-01-01\n'
EXAMPLE = PROJECT / "docs" / "sample" / "trust.toml"


def policy(check: str, accepts: str, refuses: str, *, more: str = "", severity: str = "error") -> str:
    return (
        f'{HEAD}{more}\n[[rule]]\nid = "r"\ntitle = "T"\nreason = "R"\nsource = "Clause 7"\nstanding = "retrieved"\n'
        f'severity = "{severity}"\ngrade = "auto"\ncheck = {check}\naccepts = {accepts}\nrefuses = {refuses}\n'
    )


def judged(text: str, document: Mapping[str, Any] | bytes | None = None, place: Any = None, **options: Any) -> Finding:
    """The finding of the policy's only rule."""
    document = signed_award() if document is None else document
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    report = verified(data, place, **options)
    (finding,) = trust_findings(report, data, read_trust(text), now=options.get("now", LATER))
    return finding


ISSUER = '{ includes = ["issuer.lists", ["ok"]] }', '{ issuer = { lists = ["ok"] } }', "{ issuer = { lists = [] } }"


def trusting(*ids: str) -> str:
    return policy(*ISSUER, more=f"[lists]\nok = {json.dumps(list(ids))}")


def test_an_issuer_on_the_list_is_trusted_and_another_is_not():
    found = judged(trusting(HARBOUR.id))
    assert (found.id, found.verdict, found.source) == ("trust.r", Verdict.PASS, "Clause 7")
    assert judged(trusting(NORTHWIND.id)).verdict is Verdict.FAIL
    assert judged(trusting()).verdict is Verdict.FAIL


def test_who_only_says_that_he_is_on_the_list_is_unknown():
    forged = signed(award(), MALLORY)  # in the name of Harbour University
    assert judged(trusting(HARBOUR.id), forged).verdict is Verdict.UNKNOWN
    changed = {**signed_award(), "name": "Master of Everything"}
    assert judged(trusting(HARBOUR.id), changed).verdict is Verdict.UNKNOWN
    no_keys = web()
    no_keys.documents.clear()
    assert judged(trusting(HARBOUR.id), place=no_keys).verdict is Verdict.UNKNOWN


def test_an_id_that_only_looks_like_one_on_the_list_is_not_it():
    document = signed_award()
    document["issuer"]["id"] += "\u200b"
    shown = tuple(Finding(id, Verdict.PASS, "") for id in ("proof.signature", "proof.key_bound"))
    data = json.dumps(document).encode()
    (found,) = trust_findings(Report("", shown), data, read_trust(trusting(HARBOUR.id)), now=LATER)
    assert found.verdict is Verdict.FAIL


def test_the_kind_of_signature_is_asked_for():
    suites = '{ equals = ["proof.suite", "%s"] }'
    sides = '{ proof = { suite = "%s" } }'
    for name, verdict in (("eddsa-rdfc-2022", Verdict.PASS), ("ecdsa-rdfc-2019", Verdict.FAIL)):
        assert judged(policy(suites % name, sides % name, sides % "x")).verdict is verdict


ENDORSED = (
    '{ count_at_least = ["endorsements.issuers", 1] }',
    '{ endorsements = { issuers = ["did:example:a"] } }',
    "{ endorsements = { issuers = [] } }",
)


def with_endorsement(by: Any) -> dict[str, Any]:
    text = {**endorsement(), "issuer": by.to_profile()}
    return signed(award(endorsements=[sign_document(text, signer(by), created=LATER)]))


def test_an_endorsement_counts_if_it_holds_and_is_not_the_issuers_own():
    assert judged(policy(*ENDORSED)).verdict is Verdict.PASS
    assert judged(policy(*ENDORSED), signed(award(endorsements=[]))).verdict is Verdict.FAIL
    assert judged(policy(*ENDORSED), with_endorsement(HARBOUR)).verdict is Verdict.FAIL
    broken = {**sign_document(endorsement(), signer(NORTHWIND), created=LATER), "name": "Another"}
    assert judged(policy(*ENDORSED), signed(award(endorsements=[broken]))).verdict is Verdict.FAIL


def test_a_rule_that_hangs_on_an_endorsement_that_cannot_be_checked_is_unknown():
    no_partner = web()
    for url in [url for url in no_partner.documents if "northwind" in url]:
        del no_partner.documents[url]
    assert judged(policy(*ENDORSED), place=no_partner).verdict is Verdict.UNKNOWN


AGE = (
    '{ at_most = ["status.age_days", 7] }',
    "{ status = { age_days = 7 } }",
    "{ status = { age_days = 8 } }",
)


def test_a_status_list_may_be_too_old_and_one_out_of_reach_is_unknown():
    assert judged(policy(*AGE)).verdict is Verdict.PASS
    assert judged(policy(*AGE), now=LATER + timedelta(days=7)).verdict is Verdict.PASS
    assert judged(policy(*AGE), now=LATER + timedelta(days=8)).verdict is Verdict.FAIL
    unreachable = web()
    del unreachable.documents[LIST]
    assert judged(policy(*AGE), place=unreachable).verdict is Verdict.UNKNOWN
    without = signed(award(status_entry=None))
    assert judged(policy(*AGE), without).verdict is Verdict.UNKNOWN


KEPT = '{ equals = ["status.kept", true] }', "{ status = { kept = true } }", "{ status = { kept = false } }"
LOGGED = '{ equals = ["receipt.in_log", true] }', "{ receipt = { in_log = true } }", "{ receipt = { in_log = false } }"
MINE = (
    '{ equals = ["recipient.confirmed", true] }',
    "{ recipient = { confirmed = true } }",
    "{ recipient = { confirmed = false } }",
)


def test_whether_a_list_is_kept_and_whose_it_is_are_facts_too():
    assert judged(policy(*KEPT)).verdict is Verdict.PASS
    assert judged(policy(*KEPT), place=revoked()).verdict is Verdict.PASS, "revoked, but that is not this rule's"
    assert judged(policy(*KEPT), signed(award(status_entry=None))).verdict is Verdict.FAIL
    assert judged(policy(*MINE)).verdict is Verdict.UNKNOWN
    assert judged(policy(*MINE), recipient="zoe.nguyen@example.org").verdict is Verdict.PASS
    assert judged(policy(*MINE), recipient="mallory@example.org").verdict is Verdict.FAIL
    assert judged(policy(*MINE), recipient="did:example:zoe").verdict is Verdict.UNKNOWN
    assert judged(policy(*LOGGED)).verdict is Verdict.UNKNOWN


def revoked() -> Any:
    place = web()
    place.documents.update(lists(HARBOUR, {94567: ("revoked", "misconduct")}))
    return place


def test_a_receipt_is_a_fact_once_it_was_handed_in():
    from tests.unit.credential.test_receipt_step import KEY, RECEIPT, SAMPLE, found

    trust = read_trust(policy(*LOGGED))
    for name, keys, verdict in (
        ("credential.json", [KEY], Verdict.PASS),
        ("revoked.json", [KEY], Verdict.FAIL),
        ("credential.json", [], Verdict.UNKNOWN),
    ):
        data = (SAMPLE / name).read_bytes()
        report = found(name, receipt=RECEIPT, log_keys=keys)
        (finding,) = trust_findings(report, data, trust, now=LATER)
        assert finding.verdict is verdict, name


def test_advice_that_is_not_followed_does_not_refuse():
    finding = judged(policy(*ISSUER, more="[lists]\nok = []", severity="warn"))
    assert finding.verdict is Verdict.UNKNOWN
    assert not finding.required


def test_a_policy_that_says_nothing_or_not_now_never_passes():
    for text in (HEAD, HEAD.replace("2026-01-01", "2030-01-01")):
        finding = judged(text)
        assert finding.verdict is Verdict.UNKNOWN
        assert finding.required
        assert finding.id.startswith("trust.")


def test_a_document_of_another_form_tells_no_policy_anything():
    text = b'{"payload": "e30", "signatures": []}'
    for rule in (ISSUER, AGE, LOGGED):
        assert judged(policy(*rule, more="[lists]\nok = []"), text).verdict is Verdict.UNKNOWN


FILES = {
    "lines.txt": f"# accredited\n\n{HARBOUR.id}\n".encode(),
    "list.json": jcs([HARBOUR.id]),
    "registry.json": jcs({"meta": {}, "registry": {HARBOUR.id: {"name": "Harbour University"}}}),
}


@pytest.mark.parametrize("name", FILES)
def test_a_list_may_stand_in_a_file(name):
    text = policy(*ISSUER, more=f'[lists]\nok = "{name}"')
    assert read_trust(text, read=FILES.__getitem__).lists == {"ok": frozenset([HARBOUR.id])}
    with pytest.raises(BrokenInput, match="list ok: names a file, and files are not read here"):
        read_trust(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = ", "not TOML"),
        ("lists = 7", "lists is not a table"),
        (f"{HEAD}[lists]\nok = 7", "list ok: is not a list of ids"),
        (f'{HEAD}[lists]\nok = ["a", 7]', "list ok: is not a list of ids"),
        (f"{HEAD}trusted = true", "key 'trusted' is not known"),
        (policy(ISSUER[0], ISSUER[2], ISSUER[1]), "is not one that it accepts"),
        (f'{HEAD}[lists]\nok = "noise"', "is not UTF-8"),
        (f'{HEAD}[lists]\nok = "number"', "holds no ids"),
    ],
)
def test_a_file_that_is_no_policy_is_one_sentence(text, says):
    files = {"noise": b"\xff\xfe", "number": b'{"registry": 7}'}
    with pytest.raises(BrokenInput) as refused:
        read_trust(text, where="p.toml", read=files.__getitem__)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_example_in_the_documentation_accepts_the_sample():
    trust = read_trust(EXAMPLE.read_bytes())
    from tests.unit.credential.test_receipt_step import SAMPLE, found

    report = found()
    findings = trust_findings(report, (SAMPLE / "credential.json").read_bytes(), trust, now=LATER)
    assert [finding.id for finding in findings] == [f"trust.{rule.id}" for rule in trust.rulebook.rules]
    assert {finding.verdict for finding in findings} == {Verdict.PASS}
    assert report.plus(*findings).verdict is Verdict.PASS
