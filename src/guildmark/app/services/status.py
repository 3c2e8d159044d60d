"""Status lists: an index for each award, the bit and the reason behind it, the signed lists as published.

A list is signed anew when it changed, at once or with all changes of a while (`settings.STATUS_DELAY`), and before it
runs out (`settings.STATUS_VALID`), so that nobody can go on showing an old one for ever. The worker does that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from guildmark.app.records import Award, Organisation, StatusList
from guildmark.app.services.follow_ups import enqueue_once_at
from guildmark.app.services.keys import signer_for
from guildmark.app.services.ledger import append_organisation_entry
from guildmark.app.services.publish import publish_after_commit
from guildmark.app.services.verbs import hold, verb
from guildmark.core.codecs import jcs, parse_iso, parse_json
from guildmark.core.errors import GuildmarkError
from guildmark.credential import status as status_room
from guildmark.credential.proof import sign_document

SIZE = 131_072
"""Entries in a list: the least that Bitstring Status List 1.0 allows, so that no list gives a learner away."""

REASONS: Mapping[str, Mapping[str, str]] = status_room.REASONS
"""State -> reason code -> what it says, as published in the list of reasons."""


FEW = 4_000
"""Places up to which the database is asked about each; for more it says once which are taken (some 30 ms)."""


def allocate_status(
    *, issuer: Organisation, entropy: Callable[[int], bytes], now: datetime
) -> tuple[dict[str, Any], StatusList, int]:
    """A free random index in one of the issuer's lists: (the entry for the credential, the list, the index)."""
    ((row, index),) = allocate_many(issuer, 1, entropy, now)
    return status_room.status_entry(list_url(row), index, reasons_url(row)), row, index


@verb
def allocate_many(
    issuer: Organisation, count: int, entropy: Callable[[int], bytes], now: datetime
) -> list[tuple[StatusList, int]]:
    """So many free places in the issuer's lists, each (list, index), in random order.

    Every index is drawn from `entropy`, and none twice: the issuer is held until the caller's transaction ends, so that
    of two at once the second finds what the first took, and the database refuses an index that is taken. A list takes
    awards up to half its size, so that a free index is found in two tries on average; then another begins, whose
    first award publishes it. There are no decoys: how many are revoked is no secret here, each change is in the log.

    Cost: some microseconds a place, and for each list a few statements.
    """
    hold(issuer)
    places: list[tuple[StatusList, int]] = []
    # Lists fill one after the other, so only the last may have room. Counted apart: grouping by a row of the list would
    # drag its bytes through the count, for each award again.
    row = StatusList.objects.filter(issuer=issuer).order_by("-number").first()
    room = 0 if row is None else SIZE // 2 - Award.objects.filter(status_list=row).count()
    while len(places) < count:
        if row is None or room <= 0:
            row, room = _another_list(issuer, now=now), SIZE // 2
        wanted = min(room, count - len(places))
        places += [(row, index) for index in _free_indexes(row, wanted, entropy)]
        room -= wanted
    return places


def _another_list(issuer: Organisation, *, now: datetime) -> StatusList:
    last = StatusList.objects.order_by("-number").values_list("number", flat=True).first()
    row = StatusList.objects.create(
        number=(last or 0) + 1, issuer=issuer, size=SIZE, bits=bytes(SIZE // 8), reasons=bytes(SIZE)
    )
    publish_status_list(row.number, now=now)
    return row


def _free_indexes(row: StatusList, wanted: int, entropy: Callable[[int], bytes]) -> list[int]:
    """So many indexes that nobody has, in the order in which they were drawn."""
    awards = Award.objects.filter(status_list=row).order_by().values_list("status_index", flat=True)
    taken = set(awards) if wanted > FEW else None
    found: dict[int, None] = {}
    while len(found) < wanted:
        drawn = entropy(4 * (wanted - len(found)))
        indexes = [int.from_bytes(drawn[at : at + 4], "big") % SIZE for at in range(0, len(drawn), 4)]
        used = set(awards.filter(status_index__in=indexes)) if taken is None else taken
        found.update(dict.fromkeys(index for index in indexes if index not in used))
    return list(found)


def set_status(*, award: Award, state: str, code: str, now: datetime) -> None:
    """The raw lists say `state` for this award; publishing is another step. Call it while the issuer is held."""
    row = hold(award.status_list)
    bits, reasons = bytearray(row.bits), bytearray(row.reasons)
    status_room.set_bit(bits, award.status_index, state != Award.State.VALID)
    reasons[award.status_index] = status_room.reason_number(state, code)
    row.bits, row.reasons = bytes(bits), bytes(reasons)
    row.save(update_fields=["bits", "reasons"])


def publish_soon(row: StatusList, *, now: datetime) -> None:
    """The list is published now, or where the site has a delay, by the worker once it is over, with all that changed.

    Call it in the transaction of the change.
    """
    if settings.STATUS_DELAY:
        enqueue_once_at("publish_status_lists", now + settings.STATUS_DELAY)
    else:
        publish_status_list(row.number, now=now)


@verb
def publish_status_list(number: int, *, now: datetime) -> StatusList:
    """The list and its reasons are signed anew, published at once, and the new version waits for the log.

    They are valid for `settings.STATUS_VALID`, without end where that is zero; the worker renews them before.
    """
    row = StatusList.objects.select_related("issuer").get(pk=number)
    hold(row.issuer)
    row = hold(row)
    signer = signer_for(row.issuer)
    row.seq += 1
    same = {
        "issuer": row.issuer.did,
        "valid_from": now,
        "valid_until": now + settings.STATUS_VALID if settings.STATUS_VALID else None,
    }
    listing = status_room.status_list_credential(url=list_url(row), bits=row.bits, **same)
    reasons = status_room.reason_list_credential(
        url=reasons_url(row), reasons=row.reasons, replaced=_replaced(row), **same
    )
    row.published = jcs(sign_document(listing, signer, created=now))
    row.published_reasons = jcs(sign_document(reasons, signer, created=now))
    row.published_at = now
    row.save(update_fields=["seq", "published", "published_reasons", "published_at"])
    append_organisation_entry(
        organisation=row.issuer,
        kind="statuslist",
        statement={"list": list_url(row), "version": row.seq, "sha256": hashlib.sha256(row.published).hexdigest()},
        now=now,
    )
    publish_after_commit(f"status/{row.number}", f"status/{row.number}/reasons")
    if settings.STATUS_VALID:
        enqueue_once_at("publish_status_lists", now + settings.STATUS_VALID / 2)
    return row


def _replaced(row: StatusList) -> dict[int, tuple[str, str]]:
    """Index -> (the credential there, the one that replaced it); one statement. What was erased is not told."""
    rows = Award.objects.filter(replaces__status_list=row).exclude(document=b"").order_by()
    told = rows.values_list("replaces__status_index", "replaces__credential_id", "credential_id")
    return {index: (old, new) for index, old, new in told}


def publish_due_lists(*, now: datetime, every: bool = False) -> tuple[list[int], dict[int, str]]:
    """(the lists that were published, why others could not be): those that changed since, and those of which half
    the time that they are valid for is over; with `every`, all. The worker's next look is ordered.

    A list that cannot be signed or written holds up no other. Some 2 ms a list, 60 for one that is published.
    """
    done: list[int] = []
    problems: dict[int, str] = {}
    for number in list(StatusList.objects.order_by("number").values_list("number", flat=True)):
        if every or is_due(StatusList.objects.get(pk=number), now=now):
            try:
                publish_status_list(number, now=now)
            except GuildmarkError as problem:
                problems[number] = str(problem)
            else:
                done.append(number)
    order_next(now=now + timedelta(hours=1) if problems else now)
    return done, problems


def is_due(row: StatusList, *, now: datetime) -> bool:
    """Whether what is published is not what the list says now, or has to be renewed before it runs out."""
    if row.published is None or row.published_reasons is None:
        return True
    listing, reasons = parse_json(bytes(row.published)), parse_json(bytes(row.published_reasons))
    if _bits_of(listing) != bytes(row.bits) or _bits_of(reasons) != bytes(row.reasons):
        return True
    begins, ends = listing["validFrom"], listing.get("validUntil")
    if ends is None or not settings.STATUS_VALID:
        return (ends is None) == bool(settings.STATUS_VALID)
    start = parse_iso(begins)
    return now >= start + min(parse_iso(ends) - start, settings.STATUS_VALID) / 2


def _bits_of(listing: Mapping[str, Any]) -> bytes:
    first = listing["credentialSubject"]
    return status_room.decode_list((first[0] if isinstance(first, list) else first)["encodedList"])


def order_next(*, now: datetime) -> None:
    """The worker looks again when the first list has to be renewed, at `now` at the earliest."""
    oldest = StatusList.objects.exclude(published_at=None).order_by("published_at", "number").first()
    if oldest is not None and settings.STATUS_VALID:
        assert oldest.published_at is not None
        enqueue_once_at("publish_status_lists", max(now, oldest.published_at + settings.STATUS_VALID / 2))


def list_url(row: StatusList) -> str:
    return f"{settings.BASE_URL}/status/{row.number}"


def reasons_url(row: StatusList) -> str:
    return f"{settings.BASE_URL}/status/{row.number}/reasons"
