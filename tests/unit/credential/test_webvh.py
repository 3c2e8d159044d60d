"""did:webvh: others' histories resolve to their documents, ours hold, and no byte of either can be another."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import counted, vectors
from tests.unit.credential.others import NOW

from guildmark.core.codecs import iso, jcs, parse_json
from guildmark.core.errors import BrokenInput, OutsideFailure
from guildmark.credential import webvh
from guildmark.credential.did import did_document, did_webvh_url
from guildmark.credential.keys import PublicKey, SoftwareSigner
from guildmark.credential.webvh import (
    FromTheFuture,
    Settings,
    create,
    deactivate,
    parallel_did_web,
    placeholder,
    read_history,
    rotate,
    update,
    versions_in,
    with_services,
    witness_file,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
OPEN = placeholder("did:web:a.example:issuers:x")
SCID = "QmPEQVM1JPTyrvEgBcDXwjK4TeyLGSX1PxjgyeAisdWM1p"


def signer(number: int) -> SoftwareSigner:
    return SoftwareSigner(bytes([number]) * 32, f"did:web:a.example#{number}")


def multikey(number: int) -> str:
    return PublicKey("a:b", "Ed25519", signer(number).public_key).multikey


def did_key(number: int) -> str:
    return f"did:key:{multikey(number)}"


def document(did: str = OPEN, number: int = 50, **more) -> dict:
    return {**did_document(did, [PublicKey(f"{did}#key-1", "Ed25519", signer(number).public_key)]), **more}


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def no_witness() -> bytes:
    raise OutsideFailure("nobody has it")


def read(did, log, *, now=NOW, witness=no_witness):
    return read_history(did, log, now=now, witness=witness)


def started(*, next_keys=(2,), given=None, **more):
    """(did, log) with key 1, and keys that are committed to."""
    return create(document(), signer(1), now=START, next_keys=map(multikey, next_keys), settings=given, **more)


def entries(log: bytes) -> list[dict]:
    return [json.loads(line) for line in log.splitlines()]


def signed_again(log: bytes, change, *, last: int = -1, by: int = 1) -> bytes:
    """The log with a change in one entry, hashed and signed anew as its owner could."""
    rows = entries(log)
    previous = rows[last - 1]["versionId"] if len(rows) > 1 and last == -1 else rows[0]["parameters"]["scid"]
    entry = {name: value for name, value in rows[last].items() if name != "proof"}
    change(entry)
    number = len(rows) if last == -1 else last + 1
    kept = b"".join(line + b"\n" for line in log.splitlines()[: number - 1])
    return kept + webvh._line(entry, previous, number, signer(by), parse_moment(entry))


def parse_moment(entry) -> datetime:
    try:
        return datetime.fromisoformat(entry["versionTime"])
    except (TypeError, ValueError):
        return START


# --- Others' histories ------------------------------------------------------------------------------------


def cases(name):
    """(scenario, implementation, its files) of a file of vectors."""
    for scenario, found in json.loads((vectors("did-webvh") / name).read_bytes()).items():
        for implementation, row in found.items():
            if isinstance(row, dict):
                yield scenario, implementation, {"did": found.get("did"), **row}


def as_resolved(found):
    """A resolver may write the two services relative or absolute, and an address with or without a slash."""
    services = []
    for service in found.get("service", []):
        id, place = service["id"], service["serviceEndpoint"]
        place = place.rstrip("/") if isinstance(place, str) else place
        services.append({**service, "id": found["id"] + id if id.startswith("#") else id, "serviceEndpoint": place})
    return {**found, "service": sorted(services, key=lambda service: service["id"])}


def check_case(scenario, implementation, row):
    """A history of others comes out as their own resolver says."""
    log = row["did.jsonl"].encode()
    wanted = row["resolutionResult.json"]["didDocument"]
    history = read(wanted["id"], log, witness=lambda: row["did-witness.json"].encode())
    found = history.newest
    assert history.deactivated is (scenario == "deactivate")
    metadata = row["resolutionResult.json"]["didDocumentMetadata"]
    assert (found.id, iso(found.moment)) == (metadata["versionId"], metadata["versionTime"])
    for name, result in row.items():
        if name.startswith("resolutionResult.") and result["didDocument"]:
            told = result["didDocument"]
            version = history.version(result["didDocumentMetadata"]["versionId"])
            # One resolver leaves the two services out once the identifier is given up.
            ours = (
                version.document if history.deactivated and "service" not in told else with_services(version.document)
            )
            assert as_resolved(ours) == as_resolved(told), (scenario, implementation)


def test_every_history_of_others_resolves_to_its_document():
    seen = 0
    for scenario, implementation, row in cases("vectors.json"):
        check_case(scenario, implementation, row)
        counted("did-webvh", f"{scenario} {implementation}")
        seen += 1
    assert seen >= 12


NOT_BY_THE_SPECIFICATION = {
    # A replaced list of witnesses counts after its own entry (1.0, "Witness Lists"); the Python resolver agrees.
    **{("witness-update", who): "entry 2: is witnessed by 1 where 2 are needed" for who in ("java-eecc", "java", "ts")},
    ("witness-update", "python"): "entry 2: is witnessed by 1 where 2 are needed",
    # A witness is a did:key, and these are bare Multikeys (1.0, "The `witness` Parameter").
    ("witness-threshold", "rust"): "names a witness that is no did:key",
    ("witness-update", "rust"): "names a witness that is no did:key",
}

REFUSED = {
    "negative-cross-did-witness-replay": "is witnessed by 0 where 1 are needed",
    "negative-did-key-body-fragment-mismatch": "names no did:key with that very key after the #",
    "negative-duplicate-witness-ids": "names the same witness twice",
    "negative-portable-scid-swap": "is not a did:webvh",
    "negative-pre-rotation-omit-updatekeys": "leaves out “updateKeys”",
    "negative-scid-mismatch-genesis": "is not a did:webvh",
    "negative-unknown-method-version": "which is not known here",
    "negative-versiontime-future": "which is still to come",
    "negative-versiontime-non-monotonic": "is not dated after the entry before it",
    "negative-wrong-cryptosuite": "the “cryptosuite” of its proof is not eddsa-jcs-2022",
    "negative-zero-witness-threshold": "its threshold of witnesses",
}


def test_the_whole_suite_of_did_webvh_comes_out_as_its_specification_says():
    if not (vectors("did-webvh") / "suite.json").exists():
        pytest.skip("shared vectors not here: did-webvh/suite.json")
    refused = set()
    for scenario, implementation, row in cases("suite.json"):
        says = REFUSED.get(scenario) or NOT_BY_THE_SPECIFICATION.get((scenario, implementation))
        if row["did"] is not None:
            with pytest.raises(BrokenInput):
                did_webvh_url(row["did"])
        elif says is not None:
            log = row["did.jsonl"].encode()
            with pytest.raises(BrokenInput, match=says):
                read(entries(log)[-1]["state"]["id"], log, witness=lambda row=row: row["did-witness.json"].encode())
            refused.add(scenario)
        else:
            check_case(scenario, implementation, row)
        counted("did-webvh", f"{scenario} {implementation}")
    assert refused >= set(REFUSED)


def test_any_changed_byte_of_a_history_of_others_is_refused_or_means_the_same():
    for _, _, row in cases("vectors.json"):
        log, did = row["did.jsonl"].encode(), row["resolutionResult.json"]["didDocument"]["id"]
        whole = read(did, log)
        for at in range(0, len(log), 211):
            changed = log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :]
            try:
                assert read(did, changed) == whole  # a space between two members
            except BrokenInput:
                continue


# --- Our own ----------------------------------------------------------------------------------------------


def test_what_we_publish_resolves_and_keys_pass_on_as_committed():
    did, log = started()
    assert did_webvh_url(did) == "https://a.example/issuers/x/did.jsonl"
    log += rotate(log, signer(2), now=day(10), next_keys=[multikey(3)])
    log += update(log, signer(3), now=day(20), document=document(did, 51), next_keys=[multikey(4)])
    history = read(did, log)
    assert [version.number for version in history.versions] == [1, 2, 3]
    assert [version.parameters.update_keys for version in history.versions] == [(multikey(n),) for n in (1, 2, 3)]
    assert history.newest.document == document(did, 51)
    assert history.at(day(15)).document == document(did, 50)
    assert history.at(day(-1)) is None


def test_an_identifier_that_is_given_up_says_so_and_takes_no_further_entry():
    for next_keys, by in (((2,), 2), ((), 1)):
        did, log = started(next_keys=next_keys)
        log += deactivate(log, signer(by), now=day(1))
        assert read(did, log).deactivated
        with pytest.raises(BrokenInput, match="comes after the identifier was given up"):
            update(log, signer(by), now=day(2))


def test_without_commitment_the_keys_before_say_who_comes_next():
    did, log = started(next_keys=())
    log += update(log, signer(1), now=day(1), document=document(did, 51))
    log += rotate(log, signer(1), now=day(2), to=[multikey(5)])
    log += rotate(log, signer(5), now=day(3), to=[multikey(6)], next_keys=[multikey(7)])
    log += update(log, signer(7), now=day(4))  # and commits to nobody, so from here on it is as before
    log += update(log, signer(7), now=day(5), document=document(did, 52))
    assert read(did, log).newest.document == document(did, 52)
    with pytest.raises(BrokenInput, match="which key takes over"):
        rotate(log, signer(7), now=day(6))


def test_mallory_with_the_present_key_cannot_pass_the_identifier_on():
    _, log = started()
    for make in (
        lambda: update(log, signer(1), now=day(1)),
        lambda: rotate(log, signer(9), now=day(1)),
        lambda: rotate(log, signer(2), now=day(1), to=[multikey(9)]),
        lambda: deactivate(log, signer(1), now=day(1)),
    ):
        with pytest.raises(BrokenInput, match="brings in a key that the entry before did not commit to"):
            make()


def test_without_commitment_a_stranger_signs_nothing():
    _, log = started(next_keys=())
    with pytest.raises(BrokenInput, match="signed by a key that may not update"):
        update(log, signer(9), now=day(1))
    with pytest.raises(BrokenInput, match="signed by a key that may not update"):
        rotate(log, signer(9), now=day(1), to=[multikey(9)])


def test_an_identifier_moves_only_if_it_was_permitted_and_names_where_it_was():
    did, log = started(given=Settings(portable=True))
    moved = did.replace("a.example", "b.example")
    with pytest.raises(BrokenInput, match="without naming the one before"):
        update(log, signer(2), now=day(1), document=document(moved))
    line = update(log, signer(2), now=day(1), document=document(moved, alsoKnownAs=[did]))
    assert read(moved, log + line).newest.document["id"] == moved
    assert read(did, log + line).newest.document["id"] == moved
    with pytest.raises(BrokenInput, match="never had this identifier"):
        read(did.replace("a.example", "c.example"), log + line)
    fixed, log = started()
    moved = fixed.replace("a.example", "b.example")
    with pytest.raises(BrokenInput, match="did not permit"):
        update(log, signer(2), now=day(1), document=document(moved, alsoKnownAs=[fixed]))


def test_a_history_of_another_identifier_is_refused_wherever_it_lies():
    did, log = started()
    other, _ = create(document(number=51), signer(1), now=START)
    with pytest.raises(BrokenInput, match="belongs to another identifier"):
        read(other, log)
    assert did != other


def test_the_same_input_gives_the_same_history():
    assert started() == started()


def test_the_did_web_beside_it_has_the_same_keys_and_names_it():
    did, log = create(document(alsoKnownAs=["did:web:a.example:issuers:x"]), signer(1), now=START)
    beside = parallel_did_web(read(did, log).newest.document)
    assert beside["id"] == "did:web:a.example:issuers:x"
    assert beside["alsoKnownAs"] == [did]
    assert beside["assertionMethod"] == ["did:web:a.example:issuers:x#key-1"]
    assert [service["id"] for service in beside["service"]] == [
        "did:web:a.example:issuers:x#files",
        "did:web:a.example:issuers:x#whois",
    ]
    assert "webvh" not in json.dumps({**beside, "alsoKnownAs": []})


def test_a_service_of_its_own_stands_instead_of_the_implied_one():
    own = {"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://cdn.example/"}
    did, log = create(document(service=[own]), signer(1), now=START)
    found = with_services(read(did, log).newest.document)["service"]
    assert found[0] == own
    assert [service["id"] for service in found[1:]] == [f"{did}#whois"]


@pytest.mark.parametrize("algorithm", ["P-256", "RSA"])
def test_only_ed25519_updates_and_any_kind_may_be_listed(algorithm):
    class Other:
        key_id, public_key = "did:web:a.example#x", b"\x02" + bytes(32)

    Other.algorithm = algorithm
    with pytest.raises(BrokenInput, match=f"a key of kind {algorithm} cannot sign a did:webvh"):
        create(document(), Other(), now=START)
    with pytest.raises(BrokenInput, match="is no Multikey of an Ed25519 key"):
        create(document(), signer(1), now=START, next_keys=["zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"])


def test_a_first_document_about_something_else_is_not_begun():
    for did in (f"did:webvh:{SCID}:a.example", "did:web:a.example"):
        with pytest.raises(BrokenInput, match="still open"):
            create(document(did), signer(1), now=START)


_names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.lists(st.tuples(st.sampled_from("uUr"), _names), max_size=5), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_whatever_we_publish_resolves_and_any_changed_byte_is_refused(steps, random):
    did, log = started()
    key = 2
    for number, (step, name) in enumerate(steps, start=1):
        new = document(did, 60 + number, alsoKnownAs=[name]) if step != "r" else None
        log += update(log, signer(key), now=day(number), document=new, next_keys=[multikey(key + 1)])
        key += 1
    assert len(read(did, log).versions) == len(steps) + 1
    for _ in range(12):
        at, turned = random.randrange(len(log)), random.randrange(1, 256)
        changed = log[:at] + bytes([log[at] ^ turned]) + log[at + 1 :]
        with pytest.raises(BrokenInput):
            read(did, changed)


def test_every_single_byte_of_a_history_counts():
    did, log = started()
    log += rotate(log, signer(2), now=day(1), next_keys=[multikey(3)])
    for at in range(0, len(log), 3):
        for other in (0x20, log[at] ^ 1, log[at] ^ 0x20):
            if other != log[at]:
                with pytest.raises(BrokenInput):
                    read(did, log[:at] + bytes([other]) + log[at + 1 :])
    with pytest.raises(BrokenInput):
        read(did, log[:-1] + b"\t")


# --- One rule at a time -----------------------------------------------------------------------------------


def parameter(name, value):
    return lambda entry: entry["parameters"].update({name: value})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (parameter("unheard", 1), "its parameter “unheard” is not known here"),
        (parameter("method", "did:webvh:0.5"), "which is not known here; known: did:webvh:1.0"),
        (parameter("method", 1), "which is not known here"),
        (parameter("scid", SCID), "only the first entry may have a scid"),
        (parameter("portable", True), "only the first entry may permit"),
        (parameter("portable", None), "neither true nor false"),
        (parameter("deactivated", "true"), "neither true nor false"),
        (parameter("updateKeys", "x"), "is not a list of different texts"),
        (parameter("updateKeys", [multikey(1)] * 2), "is not a list of different texts"),
        (parameter("nextKeyHashes", [1]), "is not a list of different texts"),
        (parameter("watchers", {}), "is not a list of different texts"),
        (parameter("ttl", -1), "is not a number of seconds"),
        (parameter("ttl", 1.5), "is not a number of seconds"),
        (parameter("ttl", True), "is not a number of seconds"),
        (parameter("witness", []), "names no witnesses"),
        (parameter("witness", {"threshold": 1, "witnesses": []}), "names no witnesses"),
        (
            parameter("witness", {"threshold": 1, "witnesses": [{"id": "did:web:a.example"}]}),
            "no did:key of an Ed25519",
        ),
        (parameter("witness", {"threshold": 2, "witnesses": [{"id": did_key(5)}]}), "its threshold of witnesses"),
        (parameter("witness", {"threshold": True, "witnesses": [{"id": did_key(5)}]}), "its threshold of witnesses"),
        (parameter("witness", {"threshold": 1, "witnesses": [{"id": did_key(5)}] * 2}), "the same witness twice"),
        (lambda entry: entry.update(versionTime="2026-01-02T00:00:00+01:00"), "is not a time in UTC"),
        (lambda entry: entry.update(versionTime="2026-01-02 00:00:00Z"), "is not a time in UTC"),
        (lambda entry: entry.update(versionTime="2026-02-30T00:00:00Z"), "is not a date and time"),
        (lambda entry: entry.update(versionTime="2026-01-01T00:00:00Z"), "not dated after the entry before it"),
        (lambda entry: entry.update(versionTime="2027-01-01T00:00:00Z"), "is still to come"),
        (lambda entry: entry.update(versionTime=1), "its “versionTime” is not of its kind"),
        (lambda entry: entry.update(extra=1), "its “extra” is missing or does not belong there"),
        (lambda entry: entry.pop("parameters"), "its “parameters” is missing"),
        (lambda entry: entry["state"].pop("id"), "its document has no id"),
        (lambda entry: entry["state"].update(id="did:web:a.example"), "is not a did:webvh"),
        (lambda entry: entry["state"].update(id=f"did:webvh:{SCID}:a.example"), "about another identifier"),
        (lambda entry: entry["state"].update(id=entry["state"]["id"] + ":y"), "did not permit"),
        (
            lambda entry: entry["state"].update(id=entry["state"]["id"].split("a.ex")[0] + "127.0.0.1"),
            "not a host name",
        ),
    ],
)
def test_an_entry_that_its_owner_signed_against_the_rules_is_refused(change, says):
    did, log = started(next_keys=())
    log += update(log, signer(1), now=day(1))
    with pytest.raises(BrokenInput, match=says) as refused:
        read(did, signed_again(log, change))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("member", "says"),
    [("method", "which is not known here"), ("scid", "needs a scid and updateKeys"), ("updateKeys", "needs a scid")],
)
def test_a_first_entry_needs_its_parameters(member, says):
    did, log = started(next_keys=())
    row = entries(log)[0]
    del row["parameters"][member]
    with pytest.raises(BrokenInput, match=says):
        read(did, jcs(row) + b"\n")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "Ed25519Signature2020"}, "the “type” of its proof"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "the “cryptosuite” of its proof"),
        ({"proofPurpose": "authentication"}, "the “proofPurpose” of its proof"),
        ({"verificationMethod": f"{did_key(1)}#{multikey(2)}"}, "with that very key after the #"),
        ({"verificationMethod": did_key(1)}, "with that very key after the #"),
        ({"verificationMethod": f"{did_key(9)}#{multikey(9)}"}, "its signature does not hold"),
        ({"verificationMethod": 1}, "names no did:key"),
        ({"created": "2026-01-01T00:00:01Z"}, "its signature does not hold"),
        ({"proofValue": "z111"}, "its signature does not hold"),
        ({"proofValue": "u111"}, "has no readable value"),
        ({"proofValue": None}, "has no readable value"),
        ({"@context": []}, "builds on what an entry does not have"),
        ({"previousProof": "x"}, "builds on what an entry does not have"),
        ({"expires": "2026-06-01T00:00:00Z"}, "its proof has run out"),
    ],
)
def test_a_proof_with_one_member_changed_is_refused(change, says):
    did, log = started()
    row = entries(log)[0]
    row["proof"] = [{**row["proof"][0], **change}]
    with pytest.raises(BrokenInput, match=says):
        read(did, jcs(row) + b"\n")


def test_each_of_several_proofs_has_to_hold():
    did, log = create(document(), signer(1), now=START, update_keys=[multikey(2)])
    row = entries(log)[0]
    bare = {name: member for name, member in row.items() if name != "proof"}
    second = webvh._proof(signer(2), webvh.hashlib.sha256(jcs(bare)).digest(), START)
    stranger = webvh._proof(signer(9), webvh.hashlib.sha256(jcs(bare)).digest(), START)
    read(did, jcs({**row, "proof": [*row["proof"], second]}))
    read(did, jcs({**row, "proof": second}))
    for proofs in ([*row["proof"], stranger], [], [None], row["proof"] * 9):
        with pytest.raises(BrokenInput):
            read(did, jcs({**row, "proof": proofs}))


@pytest.mark.parametrize("log", [b"", b"\n", b"{}", b"[]\n", b"<html>\n", b"\xff", b'{"a": 1, "a": 2}', b"{" * 5000])
def test_what_is_no_history_is_one_sentence(log):
    with pytest.raises(BrokenInput) as refused:
        read(f"did:webvh:{SCID}:a.example", log)
    assert "\n" not in str(refused.value)


def test_the_lines_stand_alone():
    did, log = started()
    log += rotate(log, signer(2), now=day(1))
    first, second = log.splitlines()
    assert read(did, first + b"\n" + second).newest.number == 2
    for odd in (
        b" " + log,
        first + b"\r\n" + second + b"\n",
        first + b"\n\n" + second + b"\n",
        log + b"\n",
        b"\xef\xbb\xbf" + log,
        first + second,
        second + b"\n",
        second + b"\n" + first + b"\n",
        first + b"\n" + first + b"\n",
    ):
        with pytest.raises(BrokenInput):
            read(did, odd)


def test_an_entry_of_tomorrow_may_yet_come_true():
    did, log = started()
    with pytest.raises(FromTheFuture, match="entry 1: is dated 2026-01-01T00:00:00Z, which is still to come"):
        read(did, log, now=START - timedelta(minutes=6))
    assert read(did, log, now=START - timedelta(minutes=4)).newest.number == 1


@pytest.mark.parametrize(
    "rest",
    [
        "",
        ":",
        "127.0.0.1",
        "127.0.0.1#x",
        "127.0.0.1%3a8080",
        "169%2E254%2E169%2E254",
        "localhost",
        "a.example:..:..:admin",
        "a.example:a%2Fb",
        "a.example:a%5Cb",
        "a.example:a%00b",
        "a.example:%20a",
        "a.example:%2e%2e",
        "a.example%3A0",
        "a.example%3A443%3A443",
        "a.example/x",
        "a.example?x",
        "例.jp",
    ],
)
def test_an_identifier_that_leads_somewhere_odd_is_refused(rest):
    with pytest.raises(BrokenInput):
        did_webvh_url(f"did:webvh:{SCID}:{rest}")


@pytest.mark.parametrize(
    ("rest", "url"),
    [
        ("a.example", "https://a.example/.well-known/did.jsonl"),
        ("issuer.a.example", "https://issuer.a.example/.well-known/did.jsonl"),
        ("a.example:dids:issuer", "https://a.example/dids/issuer/did.jsonl"),
        ("a.example%3A3000:dids:issuer", "https://a.example:3000/dids/issuer/did.jsonl"),
        ("a.example%3a3000", "https://a.example:3000/.well-known/did.jsonl"),
    ],
)
def test_a_history_is_read_where_the_specification_says(rest, url):
    assert did_webvh_url(f"did:webvh:{SCID}:{rest}") == url


@pytest.mark.parametrize(
    "scid", ["", "x", "{SCID}", SCID[:-1], SCID + "1", SCID.replace("Q", "0"), SCID.replace("m", "l")]
)
def test_a_first_part_that_is_no_hash_is_refused(scid):
    with pytest.raises(BrokenInput, match="is not a did:webvh"):
        did_webvh_url(f"did:webvh:{scid}:a.example")


# --- Witnesses --------------------------------------------------------------------------------------------


def watched(threshold=2, witnesses=(20, 21, 22)):
    return Settings(threshold=threshold, witnesses=tuple(map(did_key, witnesses)))


def test_an_entry_counts_once_enough_witnesses_signed_it_or_a_later_one():
    did, log = started(given=watched())
    log += rotate(log, signer(2), now=day(1), next_keys=[multikey(3)])
    first, second = (row["versionId"] for row in entries(log))
    for signed, holds in (
        ({second: (20, 21)}, True),
        ({second: (20, 21, 22)}, True),
        ({first: (20, 21, 22)}, False),
        ({first: (20, 21), second: (22,)}, False),
        ({first: (20, 21), second: (21, 22)}, True),
        ({second: (20, 20)}, False),
        ({second: (20, 23)}, False),
        ({"3-Qm": (20, 21)}, False),
        ({}, False),
    ):
        file = witness_file({id: map(signer, who) for id, who in signed.items()}, now=NOW)
        if holds:
            assert read(did, log, witness=lambda file=file: file).newest.number == 2
        else:
            with pytest.raises(BrokenInput, match=r"is witnessed by \d where 2 are needed"):
                read(did, log, witness=lambda file=file: file)


def test_a_proof_of_a_witness_over_something_else_does_not_count():
    did, log = started(given=watched(1))
    id = entries(log)[0]["versionId"]
    rows = json.loads(witness_file({id: [signer(20)]}, now=NOW))
    for change in (
        {"cryptosuite": "ecdsa-jcs-2019"},
        {"proofPurpose": "authentication"},
        {"created": "2020-01-01T00:00:00Z"},
        {"verificationMethod": f"{did_key(20)}#{multikey(21)}"},
        {"verificationMethod": f"{did_key(21)}#{multikey(21)}"},
    ):
        proof = {**rows[0]["proof"][0], **change}
        with pytest.raises(BrokenInput, match="is witnessed by 0 where 1"):
            read(did, log, witness=lambda proof=proof: jcs([{"versionId": id, "proof": [proof]}]))
    # A proof that does not hold beside one that does takes nothing away.
    beside = [{"versionId": id, "proof": [{**rows[0]["proof"][0], "created": "x"}, rows[0]["proof"][0]]}]
    assert read(did, log, witness=lambda: jcs(beside)).newest.number == 1


def test_a_new_list_of_witnesses_counts_from_the_next_entry_and_the_first_one_at_once():
    did, log = started(next_keys=())
    assert read(did, log).newest.number == 1  # nobody is asked for proofs
    log += update(log, signer(1), now=day(1), settings=watched(1, (20,)))
    log += update(log, signer(1), now=day(2), settings=watched(1, (21,)))
    log += update(log, signer(1), now=day(3), settings=Settings(threshold=0))
    log += update(log, signer(1), now=day(4))
    ids = [row["versionId"] for row in entries(log)]
    good = witness_file({ids[2]: [signer(20)], ids[3]: [signer(21)]}, now=NOW)
    assert read(did, log, witness=lambda: good).newest.number == 5
    for signed in ({ids[1]: [signer(20)], ids[3]: [signer(21)]}, {ids[2]: [signer(20), signer(21)]}):
        with pytest.raises(BrokenInput, match="is witnessed by 0 where 1"):
            read(did, log, witness=lambda signed=signed: witness_file(signed, now=NOW))


def test_a_history_whose_witnesses_are_out_of_reach_cannot_be_told():
    did, log = started(given=watched())
    with pytest.raises(OutsideFailure):
        read(did, log)


@pytest.mark.parametrize("file", [b"", b"{}", b"null", b"[" * 100, b"[" + b"1," * 300_000 + b"1]"])
def test_a_file_of_witnesses_that_cannot_be_read_is_one_sentence(file):
    did, log = started(given=watched())
    with pytest.raises(BrokenInput, match=r"^did-witness\.json"):
        read(did, log, witness=lambda: file)


@pytest.mark.parametrize(
    "row", [None, 1, {}, {"versionId": 1}, {"proof": 1}, {"proof": [1, None, {"verificationMethod": 1}]}]
)
def test_odd_rows_of_witnesses_count_for_nothing(row):
    did, log = started(given=watched())
    rows = [row, {"versionId": entries(log)[0]["versionId"], **(row if isinstance(row, dict) else {})}]
    with pytest.raises(BrokenInput, match="is witnessed by 0 where 2"):
        read(did, log, witness=lambda: jcs(rows))


# --- Bounds -----------------------------------------------------------------------------------------------


def slowest(log, did, witness=no_witness) -> float:
    """Seconds of this process for a history that is refused, the best of three."""
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        with pytest.raises(BrokenInput):
            read(did, log, witness=witness)
        best = min(best, time.process_time() - start)
    return best


def test_a_hostile_history_is_refused_before_it_costs_much():
    did, log = started()
    line = log.splitlines()[0]
    row = entries(log)[0]
    for hostile in (
        line * 1000,
        (line + b"\n") * 1000,
        b"{" + b" " * 2_000_000 + b"}",
        b'{"a":' * 60_000 + b"1" + b"}" * 60_000,
        jcs({**row, "state": {"id": did, "x": ["y"] * 90_000}}),
        jcs({**row, "state": {"id": did, "x": "\x01" * 60_000}}),
        jcs({**row, "state": {"id": did, "x": [{"a": 1.5e300}] * 6_000}}),
        jcs({**row, "proof": row["proof"] * 900}),
        jcs({**row, "parameters": {**row["parameters"], "updateKeys": ["z6Mk" + "1" * 3000] * 100}}),
    ):
        assert slowest(hostile, did) < 0.1


def test_a_hostile_file_of_witnesses_is_refused_before_it_costs_much():
    did, log = started(given=watched(40, range(100, 140)))
    id = entries(log)[0]["versionId"]
    wrong = webvh._proof(signer(20), bytes(32), NOW)
    proofs = [
        {**wrong, "verificationMethod": f"{did_key(n)}#{multikey(n)}"} for n in range(100, 140) for _ in range(22)
    ]
    file = jcs([{"versionId": id, "proof": proofs}])
    assert slowest(log, did, lambda: file) < 0.1


def test_a_history_of_as_many_entries_as_are_read_is_read():
    did, log = started(next_keys=())
    newest = versions_in(log, NOW)[0]
    for number in range(2, webvh.MOST_ENTRIES + 2):
        moment = START + timedelta(hours=number)
        entry = {"versionTime": iso(moment), "parameters": {}, "state": newest.document}
        line = webvh._line(entry, newest.id, number, signer(1), moment)
        newest = webvh.Version(number, parse_json(line)["versionId"], moment, newest.document, newest.parameters)
        if number == webvh.MOST_ENTRIES + 1:
            assert len(read(did, log).versions) == webvh.MOST_ENTRIES
        log += line
    with pytest.raises(BrokenInput, match="more than 150 entries"):
        read(did, log)


@given(st.binary(max_size=200))
def test_whatever_stands_there_is_a_history_or_one_sentence(data):
    with pytest.raises(BrokenInput) as refused:
        read(f"did:webvh:{SCID}:a.example", b"{" + data)
    assert "\n" not in str(refused.value)
