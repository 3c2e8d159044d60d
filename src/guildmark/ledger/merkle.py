"""The Merkle tree of RFC 6962, section 2.1: hashes, inclusion and consistency proofs, made and verified.

A leaf is hashed with the prefix 0x00, an inner node with 0x01, so that no node can be passed off as a leaf.
Proofs are made from *complete subtrees* only: `nodes(level, index)` gives the hash over the leaves `[index <<
level, (index + 1) << level)`. Tiles hold exactly these, so that a proof reads a handful of tiles and never
the whole log.

Verification follows RFC 9162, sections 2.1.3.2 and 2.1.4.2, which state as loops what RFC 6962 states as
recursion. It answers False for every malformed proof and never raises on one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, section 2.1)."""

Nodes = Callable[[int, int], bytes]
"""The hash of the complete subtree at (level, index): level 0 is the leaf hashes."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over the roots of equally large complete subtrees. One hash per leaf.

    A last node without a sibling moves up unchanged, which is the same tree as RFC 6962's split at the
    largest power of two.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pair = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pair, pair, strict=False)] + odd
    return level[0]


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The fewest complete subtrees, as (level, index) from left to right, that cover `[start, end)`."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def range_root(start: int, end: int, nodes: Nodes) -> bytes:
    """MTH(D[start:end]) of RFC 6962, for the ranges that its recursion visits."""
    size = end - start
    if size and size & (size - 1) == 0 and start & (size - 1) == 0:  # one complete subtree, as in most proofs
        return nodes(size.bit_length() - 1, start // size)
    hashes = [nodes(level, index) for level, index in subtrees(start, end)]
    if not hashes:
        return EMPTY_ROOT
    root = hashes.pop()
    while hashes:
        root = node_hash(hashes.pop(), root)
    return root


def inclusion_proof(index: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """The path that leads leaf `index` to the root of the first `size` leaves, the leaf's sibling first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    start, end, beside = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    return tuple(range_root(a, b, nodes) for a, b in reversed(beside))


def consistency_proof(old: int, new: int, nodes: Nodes) -> tuple[bytes, ...]:
    """What shows that the first `old` of `new` leaves are unchanged; empty when the sizes are equal."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof leads from {old} to {new} leaves")
    start, end, beside = 0, new, []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    if start:  # the old tree's own root is known to the verifier; a smaller part of it is not
        beside.append((start, end))
    return tuple(range_root(a, b, nodes) for a, b in reversed(beside))


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (at least 2 leaves)."""
    return 1 << (size - 1).bit_length() - 1


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` leads the leaf hash `leaf` at `index` to the `root` of a tree of `size` leaves."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    here, last, seen = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            seen = node_hash(sibling, seen)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            seen = node_hash(seen, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and seen == root


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `new` leaves begins with the tree of `old` leaves.

    From an empty tree there is nothing to prove and no proof is accepted: everything extends it, so an answer
    of True would say nothing about the two roots.
    """
    if not 0 < old <= new:
        return False
    if old == new:  # the same tree: the roots are only compared, as transparency-dev's vectors have it
        return not proof and old_root == new_root
    if not proof or not _are_hashes(old_root, new_root, *proof):
        return False
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old_seen = new_seen = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old_seen, new_seen = node_hash(sibling, old_seen), node_hash(sibling, new_seen)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new_seen = node_hash(new_seen, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old_seen == old_root and new_seen == new_root


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
