"""The log: waiting entries in, a signed checkpoint, tiles and receipts out; built to be killed at any moment.

What each store is trusted with:

- The *rows* (a database) hold the entries with the index each was given, and one row with the last signed
  checkpoint, which moves only by compare-and-swap. An index, once given, is never given again.
- The *tiles* (files) hold entry bundles, tiles and the public copy of the checkpoint. They are written
  durably and before the checkpoint that needs them is signed, and never change.

`Log.publish` goes through four steps, and a crash between or within any of them is mended by publishing
again:

1. `assign`: waiting entries get the next indexes, all or none. From here on their order is decided for good,
   so that whoever grows the log next writes the same bytes into the same files.
2. `tiles.put`: the files of the grown log, durable when it returns. Files of a crashed attempt are found and
   equal.
3. `advance`: the checkpoint is signed inside the compare-and-swap that makes it the last one. Of two
   publishers at the same moment one wins, and the other starts again from the winner's checkpoint.
4. `tiles.publish`: the public copy of the checkpoint. If a crash left it behind, it follows now.

The log refuses rather than guesses: `UnsoundLog` if the row is not signed by the log's key, if the tiles do
not lead to the signed root, or if the public checkpoint is ahead of the row (the database was restored from
an older backup; signing on would fork the log, which no receipt and no witness forgives).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from guildmark.core.doors import Signer
from guildmark.core.errors import BrokenInput, GuildmarkError, NotAllowed, OutsideFailure
from guildmark.core.report import Finding, Report, Verdict
from guildmark.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from guildmark.ledger.entries import ISSUE, VERSION
from guildmark.ledger.merkle import EMPTY_ROOT, leaf_hash, root_of, verify_inclusion
from guildmark.ledger.note import VerifierKey
from guildmark.ledger.receipt import Receipt
from guildmark.ledger.tiles import WIDTH, TileReader, TileTree, grow, tile_path, tile_width

_TRIES = 5
_PAGE = 10_000


class UnsoundLog(GuildmarkError):
    """What is stored contradicts what was signed; nothing more is signed until a person has looked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf in the store: `key` is the store's name for it, `index` its place, None while it waits."""

    key: str
    leaf: bytes
    index: int | None = None


class Tiles(TileReader, Protocol):
    """The public files of the log. `get` is inherited: the bytes at a path, or None."""

    def put(self, files: Mapping[str, bytes]) -> None:
        """Make every file durable; `UnsoundLog` if one is there already with other bytes."""
        ...

    def published(self) -> str | None:
        """The public copy of the checkpoint, None if there is none yet."""
        ...

    def publish(self, checkpoint: str) -> None:
        """Replace the public copy atomically, unless it shows a larger log already."""
        ...


class LogStore(Protocol):
    """Where the log lives. A database needs two tables for it: entries, and the last checkpoint of each log.

    Each method is one transaction that has been committed when it returns, so that none may be called within
    another. Writing a waiting entry is the application's: it belongs into the transaction of what it records.
    """

    @property
    def tiles(self) -> Tiles: ...

    def waiting(self) -> Sequence[Entry]:
        """The entries without an index, in the order in which they were written."""
        ...

    def assign(self, first: int, keys: Sequence[str]) -> bool:
        """Give the entries `keys` the indexes `first`, `first + 1`, ...; False, and nothing done, if any of
        these indexes is taken, any entry has one already, or the index before `first` is not taken.
        """
        ...

    def assigned(self, start: int, limit: int) -> Sequence[Entry]:
        """At most `limit` entries with an index of `start` or more, by index."""
        ...

    def signed(self) -> str | None:
        """The last signed checkpoint, None before the first."""
        ...

    def advance(self, expected: str | None, sign: Callable[[], str]) -> str | None:
        """If the last signed checkpoint is still `expected`, make what `sign()` returns the last one and
        return it; None, and nothing done, otherwise. `sign` is called within the transaction and at most
        once.
        """
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """The checkpoint, its signed text, and the index of each entry just taken in, by the store's key."""

    checkpoint: Checkpoint
    text: str
    indexes: Mapping[str, int]


class Log:
    """A transparency log with the identity `origin`, a name such as `example.edu/log`, signed by one Ed25519
    key.

    `earlier_keys` are the log's former keys, under which an existing checkpoint is still accepted as its own.
    """

    def __init__(
        self, store: LogStore, signer: Signer, origin: str, *, earlier_keys: Sequence[VerifierKey] = ()
    ) -> None:
        self._store, self._signer, self.origin = store, signer, origin
        self.vkey = VerifierKey.of(origin, signer.public_key)
        self._keys = (self.vkey, *earlier_keys)

    def publish(self) -> Published:
        """Take in every waiting entry and sign the checkpoint that covers them; safe to repeat after any
        crash.

        Afterwards every entry has an index, its files are durable, and the public checkpoint covers it. With
        nothing waiting the last checkpoint is published again as it is; the first call signs the empty log.
        Must not be called within a transaction. OutsideFailure if other publishers were faster several times
        in a row.
        """
        for _ in range(_TRIES):
            published = self._try_publish()
            if published is not None:
                return published
        raise OutsideFailure(f"{self.origin}: others publish at the same moment; try again")

    def _try_publish(self) -> Published | None:
        """None if another publisher moved the log meanwhile."""
        text, last = self._last()
        tiles = self._store.tiles
        self._refuse_unsound(last)
        indexed = self._numbered(last.size)
        waiting = order_batch(self._store.waiting())
        if waiting and not self._store.assign(last.size + len(indexed), [entry.key for entry in waiting]):
            return None
        new = self._numbered(last.size) if waiting else indexed
        if new or text is None:
            try:
                growth = grow(tiles, last.size, [entry.leaf for entry in new])
            except BrokenInput as problem:
                raise UnsoundLog(f"{self.origin} cannot grow: {problem}") from problem
            tiles.put(growth.files)
            last = Checkpoint(self.origin, growth.size, growth.root)
            text = self._store.advance(text, lambda: last.sign(self._signer))
            if text is None:
                return None
        elif self._store.signed() != text:
            return None  # what waited when we were called is in another publisher's checkpoint
        tiles.publish(text)
        return Published(last, text, {entry.key: entry.index for entry in new if entry.index is not None})

    def checkpoint(self) -> str | None:
        """The last signed checkpoint, checked against the log's own key; None before the first."""
        return self._last()[0]

    def receipt(self, index: int, nonce: bytes = b"") -> Receipt:
        """The receipt of entry `index` at the last checkpoint, with `nonce` for a learner's leaf.

        It is verified before it is handed out: UnsoundLog if the tiles do not lead to the signed root.
        NotAllowed for an index that no checkpoint covers yet.
        """
        return next(self.receipts([(index, nonce)]))

    def receipts(self, wanted: Iterable[tuple[int, bytes]]) -> Iterator[Receipt]:
        """The receipts of entries with their nonces, all at the last checkpoint, each as `receipt` gives it.

        In the order of the log each takes some 50 microseconds, since what two paths share is computed once.
        """
        text, last = self._last()
        tree = TileTree(self._store.tiles, last.size)
        for index, nonce in wanted:
            yield self._receipt(tree, text, last, index, nonce)

    def _receipt(self, tree: TileTree, text: str | None, last: Checkpoint, index: int, nonce: bytes) -> Receipt:
        if text is None or not 0 <= index < last.size:
            raise NotAllowed(f"entry {index} is not covered by a checkpoint of {self.origin} yet: publish first.")
        try:
            leaf, proof = tree.node(0, index), tree.inclusion(index)
        except BrokenInput as problem:
            raise UnsoundLog(f"the tiles of {self.origin} cannot be read: {problem}") from problem
        if not verify_inclusion(index=index, size=last.size, leaf=leaf, proof=proof, root=last.root):
            raise UnsoundLog(f"the tiles of {self.origin} do not lead to its signed root; run `guildmark log fsck`.")
        return Receipt(index, proof, text, nonce)

    def consistency(self, old: int) -> tuple[bytes, ...]:
        """The proof that the last checkpoint extends the one of `old` entries."""
        _, last = self._last()
        if not 0 < old <= last.size:
            raise NotAllowed(f"{self.origin} has {last.size} entries: no proof leads there from {old}.")
        return TileTree(self._store.tiles, last.size).consistency(old)

    def fsck(self) -> Report:
        """Whether rows, tiles and checkpoint say the same: every hash is computed again. Reads the whole log.

        The findings of `audit`, then `ledger.published` (the public checkpoint is the last one or an older
        one) and `ledger.rows` (each row's leaf is the entry at its index, none is missing).
        """
        text, tiles = self._store.signed(), self._store.tiles
        if text is None:
            says = "This log has not signed a checkpoint yet."
            return Report(self.origin, (Finding("ledger.checkpoint", Verdict.UNKNOWN, says),))
        report = audit(tiles, text, self._keys)
        if report["ledger.checkpoint"].verdict is not Verdict.PASS:
            return report
        size = read_checkpoint(text).size
        return report.plus(self._published_finding(size, text), self._rows_finding(size))

    def _published_finding(self, size: int, text: str) -> Finding:
        published = self._store.tiles.published()
        if published == text:
            return Finding("ledger.published", Verdict.PASS, "The public checkpoint is the last signed one.")
        if published is None:
            return Finding("ledger.published", Verdict.FAIL, "There is no public checkpoint: publish again.")
        try:
            ahead = open_checkpoint(published, self._keys, where="public checkpoint").size >= size
        except BrokenInput as problem:
            return Finding("ledger.published", Verdict.FAIL, f"The public checkpoint is not this log's: {problem}")
        says = "The public checkpoint is an older one: publish again."
        if ahead:
            says = "The public checkpoint is ahead of the database, which was restored from an older backup."
        return Finding("ledger.published", Verdict.FAIL, says, because={"size": size, "published": published})

    def _rows_finding(self, size: int) -> Finding:
        tree, expected = TileTree(self._store.tiles, size), 0
        bundle: tuple[bytes, ...] = ()
        for entry in self._pages(0):
            if expected == size:
                break
            if entry.index != expected:
                break
            try:
                bundle = tree.bundle(expected // WIDTH) if expected % WIDTH == 0 else bundle
            except BrokenInput as problem:
                return Finding("ledger.rows", Verdict.FAIL, f"The rows cannot be compared: {problem}")
            if entry.leaf != bundle[expected % WIDTH]:
                says = f"The row of entry {expected} is not what the log holds there."
                return Finding("ledger.rows", Verdict.FAIL, says, because={"index": expected})
            expected += 1
        if expected < size:
            says = f"Entry {expected} of the log has no row: a row was deleted."
            return Finding("ledger.rows", Verdict.FAIL, says, because={"index": expected})
        return Finding("ledger.rows", Verdict.PASS, f"Each of {size} rows is the entry at its index.")

    def _last(self) -> tuple[str | None, Checkpoint]:
        """The last signed checkpoint and its text; for a new log, the empty tree and None."""
        text = self._store.signed()
        if text is None:
            return None, Checkpoint(self.origin, 0, EMPTY_ROOT)
        try:
            checkpoint = open_checkpoint(text, self._keys, where="last checkpoint")
        except BrokenInput as problem:
            raise UnsoundLog(
                f"the store of {self.origin} holds a checkpoint that is not its own: {problem}"
            ) from problem
        if checkpoint.origin != self.origin:
            raise UnsoundLog(f"the store holds a checkpoint of {checkpoint.origin}, not of {self.origin}.")
        return text, checkpoint

    def _refuse_unsound(self, last: Checkpoint) -> None:
        """The public checkpoint is not ahead of the rows, and the tiles' right edge gives the signed root."""
        public = self._store.tiles.published()
        if public is not None:
            try:
                shown = open_checkpoint(public, self._keys, where="public checkpoint")
            except BrokenInput as problem:
                raise UnsoundLog(f"the public checkpoint of {self.origin} is not its own: {problem}") from problem
            # read the row after the file: another publisher may have moved both, but the row always first
            _, now = self._last()
            if shown.size > now.size or (shown.size == now.size and shown.root != now.root):
                raise UnsoundLog(
                    f"the public checkpoint of {self.origin} shows {shown.size} entries, the database "
                    f"{now.size}: it was restored from an older backup, and signing on would fork the log; "
                    "restore a newer one."
                )
        try:
            root = TileTree(self._store.tiles, last.size).root()
        except BrokenInput as problem:
            raise UnsoundLog(f"the tiles of {self.origin} cannot be read: {problem}") from problem
        if root != last.root:
            raise UnsoundLog(f"the tiles of {self.origin} do not lead to its signed root; run `guildmark log fsck`.")

    def _numbered(self, start: int) -> list[Entry]:
        """Every entry from index `start` on, in order and without a gap."""
        entries = list(self._pages(start))
        for expected, entry in enumerate(entries, start):
            if entry.index != expected:
                raise UnsoundLog(f"{self.origin} has no entry with index {expected}: a row was deleted.")
        return entries

    def _pages(self, start: int) -> Iterator[Entry]:
        while True:
            page = self._store.assigned(start, _PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            start = (page[-1].index or 0) + 1


def order_batch(waiting: Sequence[Entry]) -> list[Entry]:
    """The order in which entries that wait together enter the log.

    Organisations' statements come first and keep their order, since each names the one before it. Learners'
    leaves follow in the order of their hashes: these depend on a random nonce, so that the order tells
    nothing about who was awarded first.
    """
    learner = f"{VERSION}\n{ISSUE}\n".encode()
    statements = [entry for entry in waiting if not entry.leaf.startswith(learner)]
    blinded = [entry for entry in waiting if entry.leaf.startswith(learner)]
    return statements + sorted(blinded, key=lambda entry: (leaf_hash(entry.leaf), entry.key))


def audit(tiles: TileReader, checkpoint: str | bytes, keys: Sequence[VerifierKey]) -> Report:
    """Whether a log's files are whole: any tlog-tiles log with its key will do, a mirror's as well as one's
    own.

    `ledger.checkpoint`: signed by one of `keys`; `ledger.entries`: every entry hashes to its place in the
    tiles; `ledger.tiles`: every tile follows from the one below; `ledger.root`: together they give the signed
    root. Reads every file once; memory grows with a 256th of the log.
    """
    try:
        signed = open_checkpoint(checkpoint, keys)
    except BrokenInput as problem:
        return Report("Log", (Finding("ledger.checkpoint", Verdict.FAIL, f"The checkpoint does not count: {problem}"),))
    because = {"origin": signed.origin, "size": signed.size, "root": signed.root.hex()}
    says = f"The checkpoint of {signed.size} entries is signed by the key of {signed.origin}."
    report = Report(signed.origin, (Finding("ledger.checkpoint", Verdict.PASS, says, because=because),))
    entries, above, leaves = _audit_entries(tiles, signed.size)
    hashes, root = _audit_tiles(tiles, signed.size, above, leaves)
    same = root == signed.root
    says = "The entries lead to the signed root." if same else "The entries do not lead to the signed root."
    root_finding = Finding("ledger.root", Verdict.PASS if same else Verdict.FAIL, says, because=because)
    return report.plus(entries, hashes, root_finding)


def _audit_entries(tiles: TileReader, size: int) -> tuple[Finding, list[bytes], list[bytes]]:
    """Whether bundles and level-0 tiles agree; the roots of full bundles and the leaf hashes of the last,
    partial one.

    Both are computed from the entries, so that one bad tile of hashes is not reported a second time.
    """
    tree, problems = TileTree(tiles, size), []
    full: list[bytes] = []
    edge: list[bytes] = []
    for number in range(-(-size // WIDTH)):
        hashes: list[bytes] = []
        try:
            hashes = [leaf_hash(entry) for entry in tree.bundle(number)]
            tile = tree.tile(0, number)
            wrong = next((i for i, (a, b) in enumerate(zip(hashes, tile, strict=True)) if a != b), None)
            if wrong is not None:
                problems.append(f"entry {number * WIDTH + wrong} does not hash to its place in the tile")
        except BrokenInput as problem:
            problems.append(str(problem).removesuffix("."))
        if tile_width(0, number, size) == WIDTH:
            full.append(root_of(hashes))
        else:
            edge = hashes
    return _found("ledger.entries", problems, f"All {size} entries hash to their place."), full, edge


def _audit_tiles(tiles: TileReader, size: int, above: list[bytes], edge: list[bytes]) -> tuple[Finding, bytes]:
    """Whether each tile above level 0 follows from those below it; and the root that the entries give."""
    tree, problems, count = TileTree(tiles, size), list[str](), -(-size // WIDTH)
    rest = [root_of(edge)] if edge else []  # the root of what lies right of the full tiles, if anything does
    level = 1
    while above:
        wanted, above, edge = above, [], []
        for number in range(-(-len(wanted) // WIDTH)):
            part = wanted[number * WIDTH : (number + 1) * WIDTH]
            count += 1
            try:
                if list(tree.tile(level, number)) != part:
                    path = tile_path(level, number, len(part))
                    problems.append(f"{path} does not follow from the tiles below it")
            except BrokenInput as problem:
                problems.append(str(problem).removesuffix("."))
            if len(part) == WIDTH:
                above.append(root_of(part))
            else:
                edge = part
        rest = [root_of([*edge, *rest])] if edge or rest else []
        level += 1
    finding = _found("ledger.tiles", problems, f"All {count} tiles are there and follow from the entries.")
    return finding, root_of(rest)


def _found(finding_id: str, problems: list[str], fine: str) -> Finding:
    """PASS saying `fine`, or FAIL naming the first of the problems and listing up to a hundred."""
    if not problems:
        return Finding(finding_id, Verdict.PASS, fine, source="C2SP tlog-tiles")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    because = {"problems": problems[:100], "count": len(problems)}
    return Finding(finding_id, Verdict.FAIL, f"{problems[0]}{more}.", because=because, source="C2SP tlog-tiles")
