"""A status of purpose `message` may say “revoked” in words that are not read here, so alone it decides nothing."""

from __future__ import annotations

from typing import Any

from tests.unit.credential.award_cast import BASE, HARBOUR, LIST, NOW, award, did_documents, signer

from guildmark.core.codecs import jcs
from guildmark.core.doors import Document
from guildmark.core.errors import OutsideFailure
from guildmark.core.report import Report, Verdict
from guildmark.credential.proof import sign_document
from guildmark.credential.status import LEAST_BITS, status_entry, status_list_credential
from guildmark.credential.verify import verify_credential

MESSAGES = status_entry(f"{BASE}/status/messages", 7, purpose="message")
REVOCATION = status_entry(LIST, 7)


class _Web:
    def __init__(self) -> None:
        listing = status_list_credential(
            url=LIST, issuer=HARBOUR.id, bits=bytes(LEAST_BITS // 8), valid_from=NOW, valid_until=None
        )
        self.documents = {**did_documents(), LIST: sign_document(listing, signer(HARBOUR), created=NOW)}

    def fetch(self, url: str) -> Document:
        if url not in self.documents:
            raise OutsideFailure(f"{url} is not here")
        return Document(url, jcs(self.documents[url]))


def _report(status: Any) -> Report:
    document = {**award(endorsements=[], map_url="", approval=None), "credentialStatus": status}
    return verify_credential(jcs(sign_document(document, signer(HARBOUR), created=NOW)), now=NOW, fetcher=_Web())


def test_a_message_alone_does_not_tell_whether_it_was_withdrawn():
    report = _report(MESSAGES)
    assert report.verdict is Verdict.UNKNOWN
    assert report["status.revocation"].says.startswith("Whether it was withdrawn cannot be told")


def test_a_message_beside_a_revocation_entry_leaves_the_decision_to_that():
    report = _report([REVOCATION, MESSAGES])
    assert report["status.revocation"].verdict is Verdict.PASS
    assert report["status.message"].required is False
    assert report.verdict is Verdict.PASS


def test_two_messages_tell_no_more_than_one():
    other = status_entry(f"{BASE}/status/messages", 8, purpose="message")
    assert _report([MESSAGES, other]).verdict is Verdict.UNKNOWN
