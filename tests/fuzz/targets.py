"""What must be so of any bytes at all: each target takes some, and an exception means that a promise was broken.

1. Nothing but BrokenInput is raised, and it is one sentence.
2. No false pass: a document passes only if it says what one of the signed ones says, and a list that says revoked is
   never read as one that does not.
3. Work is bounded: each input takes less than `SECONDS` of the target, in CPU.

`python3 dev.py fuzz` runs them under atheris; `test_targets.py` plays the seeds, and whatever once broke a promise.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

from guildmark.core.codecs import jcs, parse_json
from guildmark.core.errors import BrokenInput
from guildmark.core.report import Report, Verdict
from guildmark.credential.bake import MAX_CREDENTIAL, bake, extract
from guildmark.credential.canonical import canonical_form
from guildmark.credential.envelope import bare_document, is_token, open_envelope
from guildmark.credential.jose import read_token
from guildmark.credential.sd_jwt import read_sd_jwt
from guildmark.credential.status import LARGEST_LIST, decode_list, encode_list
from guildmark.credential.verify import verify_credential
from tests.fuzz import seeds
from tests.unit.credential import award_cast as cast

Target = Callable[[bytes], None]


def verify(data: bytes) -> None:
    """A credential of any kind: JSON, a token, an image."""
    report = _said(lambda: verify_credential(data, now=cast.LATER, fetcher=_world()))
    if report is not None and report.verdict is Verdict.PASS:
        body = extract(data) if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:4] in (b"\x89PNG", b"<svg", b"<?xm") else data
        assert meaning(body) in genuine(), f"passes, and nobody signed that: {report.to_json()}"


def unbake(data: bytes) -> None:
    """An image: what comes out is text of a bounded size, and goes in again."""
    found = _said(lambda: extract(data))
    if found is None:
        return
    assert 0 < len(found) <= MAX_CREDENTIAL
    found.decode("utf-8")
    baked = _said(lambda: bake(data, found, overwrite=True))
    assert baked is None or extract(baked) == found


def status(data: bytes) -> None:
    """A status list at the address that a revoked credential names, and the encoded list alone."""
    bits = _said(lambda: decode_list(data.decode("utf-8", "replace")))
    if bits is not None:
        assert len(bits) <= LARGEST_LIST
        assert decode_list(encode_list(bits)) == bits
    place = cast.Web({**_world().documents, cast.LIST: data})
    report = _said(lambda: verify_credential(seeds.signed_award(), now=cast.LATER, fetcher=place))
    assert report is not None
    assert report["status.revocation"].verdict in (Verdict.FAIL, Verdict.UNKNOWN), "nobody signed that it is in force"


def token(data: bytes) -> None:
    """A token: read alike by each reader, and never believed unless its issuer signed it."""
    for read in (read_token, read_sd_jwt, open_envelope):
        _said(lambda read=read: read(data))  # type: ignore[misc]
    if is_token(data.strip()):
        verify(data)


def json_text(data: bytes) -> None:
    """JSON: read as Python reads it, or refused; the fast reader never differs from the careful one."""
    fast = _said(lambda: (parse_json(data),))
    try:
        text_ = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        assert fast is None, "bytes that are no text were read"
        return
    value = _said(lambda: (parse_json(text_),))  # text has no quick way
    assert (value is None) is (fast is None), "one of the two readers refuses it"
    if value is None or fast is None:
        return
    assert jcs_or_none(value[0]) == jcs_or_none(fast[0])
    plain = json.loads(data.decode("utf-8-sig"))
    assert json.dumps(value[0], sort_keys=True) == json.dumps(plain, sort_keys=True)
    text = jcs_or_none(value[0])
    again = None if text is None else jcs_or_none(parse_json(text))  # 1e20 is written with digits that are no integer
    assert again in (None, text), "the canonical form is its own canonical form"


def canonical(data: bytes) -> None:
    """A document: it has a canonical form whatever the order it is written in, or none."""
    value = _said(lambda: parse_json(data))
    if not isinstance(value, dict):
        return
    found = _said(lambda: canonical_form(value))
    if found is not None:
        assert canonical_form(dict(reversed(value.items()))).data == found.data
        assert found.data == b"" or found.data.endswith(b" .\n")


TARGETS: dict[str, Target] = {
    "verify": verify,
    "unbake": unbake,
    "status": status,
    "token": token,
    "json": json_text,
    "canonical": canonical,
}

SECONDS = {"verify": 3.0, "token": 3.0, "canonical": 3.0, "status": 1.0, "unbake": 0.5, "json": 0.5}
"""CPU that one input of at most LARGEST bytes may take, where every branch taken is counted."""

LARGEST = 60_000


def play(name: str, data: bytes) -> None:
    """Run one input through a target; AssertionError names the promise that was broken."""
    start = time.process_time()
    TARGETS[name](data)
    spent = time.process_time() - start
    assert spent < SECONDS[name], f"took {spent:.2f} s"


def _said(work: Callable[[], Any]) -> Any:
    """What `work` returns; None if it refuses its input in one sentence. Anything else that it raises is a defect."""
    try:
        return work()
    except BrokenInput as problem:
        assert "\n" not in str(problem)  # noqa: PT017 - a target is no test, and either outcome is right
        return None


def jcs_or_none(value: Any) -> bytes | None:
    try:
        return jcs(value)
    except BrokenInput:
        return None


def meaning(body: bytes) -> str:
    """A hash of what a signature is over, the same for all bytes that say the same: a token's own signed part, or
    the statements of a document without its proof.
    """
    if is_token(body.strip()):
        return sha256(body.strip().partition(b"~")[0].rpartition(b".")[0]).hexdigest()
    document = parse_json(body)
    opened = open_envelope(document)
    if opened.text:
        return meaning(opened.text.encode())
    return sha256(canonical_form(bare_document(opened)).data).hexdigest()


@cache
def genuine() -> frozenset[str]:
    """The meanings of everything that was really signed."""
    return frozenset(meaning(body) for body in seeds.signed())


@cache
def _world() -> cast.Web:
    return seeds.world()


__all__ = ["LARGEST", "SECONDS", "TARGETS", "Report", "genuine", "meaning", "play"]
