"""What is remembered: entries wait in the transaction of what they record, then enter the log under a checkpoint."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from guildmark.adapters.evm import EvmAnchor
from guildmark.app.doors import log_tiles
from guildmark.app.records import Anchoring, Award, LogCheckpoint, LogEntry, Organisation
from guildmark.app.services.bulk_rows import update_rows
from guildmark.app.services.events import note_event
from guildmark.app.services.keys import log_signer
from guildmark.app.services.publish import publish_log_files
from guildmark.app.services.verbs import hold, lost_a_race, verb
from guildmark.core.errors import NotAllowed
from guildmark.core.report import Report
from guildmark.ledger.anchor import anchor_findings
from guildmark.ledger.checkpoint import Checkpoint, checkpoint_digest
from guildmark.ledger.entries import ISSUE, learner_leaf, organisation_leaf
from guildmark.ledger.log import Entry, Log, Tiles

_AT_ONCE = 2_000
"""Entries or awards that one statement, or one transaction, gives their place or their receipt."""


def origin() -> str:
    """The log's name: the site's address without its scheme, and `/log`."""
    return settings.BASE_URL.removeprefix("https://") + "/log"


def append_learner_entry(*, award: Award, key_id: str, now: datetime) -> LogEntry:
    """A blinded leaf for the award waits for the log; call it in the award's own transaction."""
    leaf = learner_leaf(award.issuer.did, key_id, bytes(award.document), bytes(award.nonce))
    return LogEntry.objects.create(leaf=leaf, kind=ISSUE, issuer=award.issuer.did, award=award, written_at=now)


def append_organisation_entry(
    *, organisation: Organisation, kind: str, statement: Mapping[str, Any], now: datetime
) -> LogEntry:
    """A statement in clear waits for the log, chained to the organisation's one before; in the verb's transaction."""
    # The lock keeps two statements of one organisation from naming the same one before them.
    hold(organisation)
    last = LogEntry.objects.filter(issuer=organisation.did).exclude(kind=ISSUE).order_by("-id").first()
    leaf = organisation_leaf(
        kind, {"issuer": organisation.did, **statement}, previous=bytes(last.leaf) if last is not None else None
    )
    return LogEntry.objects.create(leaf=leaf, kind=kind, issuer=organisation.did, written_at=now)


class DatabaseLogStore:
    """A `ledger.log.LogStore` in two tables and a folder: entries, the last checkpoint, and the tiles as files."""

    def __init__(self, origin: str, tiles: Tiles) -> None:
        self._origin, self.tiles = origin, tiles

    def waiting(self) -> Sequence[Entry]:
        return _entries(LogEntry.objects.filter(index=None).order_by("id"))

    def assign(self, first: int, keys: Sequence[str]) -> bool:
        try:
            with transaction.atomic():
                if first and not LogEntry.objects.filter(index=first - 1).exists():
                    return False
                for start in range(0, len(keys), _AT_ONCE):
                    some = [int(key) for key in keys[start : start + _AT_ONCE]]
                    places = range(first + start, first + start + len(some))
                    free = f"{connection.ops.quote_name('index')} IS NULL"
                    if update_rows(LogEntry, some, {"index": places}, where=free) != len(some):
                        raise _TakenError
        except (IntegrityError, _TakenError):
            return False
        except OperationalError as problem:
            if lost_a_race(problem):  # two publishers that took the same entries in another order
                return False
            raise
        return True

    def assigned(self, start: int, limit: int) -> Sequence[Entry]:
        return _entries(LogEntry.objects.filter(index__gte=start).order_by("index")[:limit])

    def signed(self) -> str | None:
        row = LogCheckpoint.objects.filter(origin=self._origin).first()
        return None if row is None else row.text

    @verb
    def advance(self, expected: str | None, sign: Callable[[], str]) -> str | None:
        row = LogCheckpoint.objects.select_for_update().filter(origin=self._origin).first()
        if (None if row is None else row.text) != expected:
            return None
        text = sign()
        size = int(text.split("\n")[1])
        if row is None:
            try:
                with transaction.atomic():
                    LogCheckpoint.objects.create(origin=self._origin, size=size, text=text)
            except IntegrityError:  # another publisher wrote the first checkpoint
                return None
            return text
        moved = LogCheckpoint.objects.filter(origin=self._origin, text=expected).update(size=size, text=text)
        return text if moved else None


class _TakenError(Exception):
    """An entry got its index from another publisher: nothing of this batch is assigned."""


def _entries(rows: QuerySet[LogEntry]) -> list[Entry]:
    return [Entry(str(pk), bytes(leaf), index) for pk, leaf, index in rows.values_list("pk", "leaf", "index")]


def log() -> Log:
    """The site's log; its key is made when it is first asked for."""
    signer = log_signer(key_id=f"{settings.BASE_URL}/log#key", entropy=secrets.token_bytes(32), now=timezone.now())
    return Log(DatabaseLogStore(origin(), log_tiles()), signer, origin())


def publish_checkpoint() -> tuple[Checkpoint, int]:
    """Every waiting entry is in the log under a signed checkpoint, and each award in it has its receipt.

    (checkpoint, receipts written). Must not be called within a transaction; safe to repeat after any crash: an award
    that is in the log and has no receipt yet gets it now.
    """
    the_log = log()
    published = the_log.publish()
    waiting = LogEntry.objects.filter(kind=ISSUE, index__lt=published.checkpoint.size, award__receipt="")
    found = list(waiting.order_by("index").values_list("index", "award_id", "award__nonce"))
    receipts = the_log.receipts((index, bytes(nonce)) for index, _, nonce in found)
    written = 0
    for start in range(0, len(found), _AT_ONCE):
        awards = [award for _, award, _ in found[start : start + _AT_ONCE]]
        texts = [receipt.to_text() for receipt in islice(receipts, len(awards))]
        with transaction.atomic():
            written += update_rows(Award, awards, {"receipt": texts}, where="receipt = ''")
    publish_log_files(str(the_log.vkey))
    return published.checkpoint, written


def anchor_checkpoint(*, rpc_url: str | None, now: datetime) -> tuple[Anchoring, Report]:
    """The digest of the last checkpoint is written to a chain and read back; NotAllowed without one to anchor."""
    url = rpc_url or settings.EVM_URL
    if not url:
        raise NotAllowed("No chain is named: give --rpc, or set GUILDMARK_EVM_URL.")
    text = log().checkpoint()
    if text is None:
        raise NotAllowed("There is no checkpoint yet: publish one first.")
    anchor = EvmAnchor(url)
    receipt = anchor.anchor(checkpoint_digest(text))
    report = anchor_findings(receipt, checkpoint=text, held=anchor.holds(receipt))
    with transaction.atomic():
        row = Anchoring.objects.create(
            checkpoint=text,
            chain=receipt.chain,
            digest=receipt.digest,
            facts=dict(receipt.facts),
            evidence=receipt.evidence,
            at=now,
        )
        note_event(verb="anchor_checkpoint", subject=receipt.chain, actor=None, now=now, evidence=receipt.evidence)
    return row, report
