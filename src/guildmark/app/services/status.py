"""Status lists: an index for each award, the bit and the reason behind it, the signed lists as published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from guildmark.app.records import Award, Organisation, StatusList
from guildmark.app.services.keys import signer_for
from guildmark.app.services.ledger import append_organisation_entry
from guildmark.app.services.publish import publish_after_commit
from guildmark.app.services.verbs import hold, verb
from guildmark.core.codecs import jcs
from guildmark.credential import status as status_room
from guildmark.credential.proof import sign_document

SIZE = 131_072
"""Entries in a list: the least that Bitstring Status List 1.0 allows, so that no list gives a learner away."""

REASONS: Mapping[str, Mapping[str, str]] = status_room.REASONS
"""State -> reason code -> what it says, as published in the list of reasons."""


@verb
def allocate_status(
    *, issuer: Organisation, entropy: Callable[[int], bytes], now: datetime
) -> tuple[dict[str, Any], StatusList, int]:
    """A free random index in one of the issuer's lists: (the entry for the credential, the list, the index).

    A list takes awards up to half its size, so that a free index is found in two tries on average; the database refuses
    an index that is taken. The first award of a list publishes it.
    """
    # One award of an issuer at a time: of two at once the second finds the list that the first made, and its index.
    hold(issuer)
    # Lists fill one after the other, so only the last may have room. Counted apart: grouping by a row of the list would
    # drag its bytes through the count, for each award again.
    row = StatusList.objects.filter(issuer=issuer).order_by("-number").first()
    if row is None or Award.objects.filter(status_list=row).count() >= SIZE // 2:
        last = StatusList.objects.order_by("-number").values_list("number", flat=True).first()
        row = StatusList.objects.create(
            number=(last or 0) + 1,
            issuer=issuer,
            size=SIZE,
            bits=bytes(SIZE // 8),
            reasons=bytes(SIZE),
        )
        publish_status_list(row.number, now=now)
    taken = Award.objects.filter(status_list=row)
    index = int.from_bytes(entropy(4), "big") % SIZE
    while taken.filter(status_index=index).exists():
        index = int.from_bytes(entropy(4), "big") % SIZE
    return status_room.status_entry(list_url(row), index, reasons_url(row)), row, index


def set_status(*, award: Award, state: str, code: str, now: datetime) -> None:
    """The raw lists say `state` for this award; publishing is another step. Call it while the issuer is held."""
    row = hold(award.status_list)
    bits, reasons = bytearray(row.bits), bytearray(row.reasons)
    status_room.set_bit(bits, award.status_index, state != Award.State.VALID)
    reasons[award.status_index] = status_room.reason_number(state, code)
    row.bits, row.reasons = bytes(bits), bytes(reasons)
    row.save(update_fields=["bits", "reasons"])


@verb
def publish_status_list(number: int, *, now: datetime) -> StatusList:
    """The list and its reasons are signed anew, published at once, and the new version waits for the log."""
    row = StatusList.objects.select_related("issuer").get(pk=number)
    hold(row.issuer)
    row = hold(row)
    signer = signer_for(row.issuer)
    row.seq += 1
    row.published = jcs(
        sign_document(
            status_room.status_list_credential(url=list_url(row), issuer=row.issuer.did, bits=row.bits, valid_from=now),
            signer,
            created=now,
        )
    )
    row.published_reasons = jcs(
        sign_document(
            status_room.reason_list_credential(
                url=reasons_url(row), issuer=row.issuer.did, reasons=row.reasons, valid_from=now
            ),
            signer,
            created=now,
        )
    )
    row.published_at = now
    row.save(update_fields=["seq", "published", "published_reasons", "published_at"])
    append_organisation_entry(
        organisation=row.issuer,
        kind="statuslist",
        statement={"list": list_url(row), "version": row.seq, "sha256": hashlib.sha256(row.published).hexdigest()},
        now=now,
    )
    publish_after_commit(f"status/{row.number}", f"status/{row.number}/reasons")
    return row


def list_url(row: StatusList) -> str:
    return f"{settings.BASE_URL}/status/{row.number}"


def reasons_url(row: StatusList) -> str:
    return f"{settings.BASE_URL}/status/{row.number}/reasons"
