"""The Merkle tree does what RFC 6962 says: others' vectors, and a word-by-word recursion beside ours."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paths import vectors
from tests.unit.ledger.cast import naive_path, naive_proof, naive_root

from guildmark.ledger.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    range_root,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from guildmark.ledger.tiles import TileTree, grow


def _hash(text):
    return base64.b64decode(text or "")


def _cases(kind):
    return json.loads((vectors("transparency-dev-merkle") / f"{kind}.json").read_text())


def test_all_98_inclusion_vectors_get_their_answer():
    wrong = []
    cases = _cases("inclusion")
    for case in cases:
        found = verify_inclusion(
            index=case["leafIdx"],
            size=case["treeSize"],
            leaf=_hash(case["leafHash"]),
            proof=[_hash(step) for step in case["proof"] or []],
            root=_hash(case["root"]),
        )
        if found is case["wantErr"]:
            wrong.append(case["file"])
    assert len(cases) == 98
    assert wrong == []


def test_all_98_consistency_vectors_get_their_answer():
    wrong = []
    cases = _cases("consistency")
    for case in cases:
        found = verify_consistency(
            old=case["size1"],
            new=case["size2"],
            old_root=_hash(case["root1"]),
            new_root=_hash(case["root2"]),
            proof=[_hash(step) for step in case["proof"] or []],
        )
        if found is case["wantErr"]:
            wrong.append(case["file"])
    assert len(cases) == 98
    assert wrong == []


class _Memory:
    def __init__(self):
        self.files = {}

    def get(self, path):
        return self.files.get(path)


def _tree(leaves, cuts=()):
    """The tree over `leaves`, written to tiles in as many steps as there are cuts."""
    memory, size = _Memory(), 0
    for end in (*sorted({cut for cut in cuts if cut < len(leaves)}), len(leaves)):
        growth = grow(memory, size, leaves[size:end])
        memory.files.update(growth.files)
        size = end
    return TileTree(memory, len(leaves))


sizes = st.integers(1, 40) | st.sampled_from([255, 256, 257, 511, 512, 513, 700])


@given(sizes, st.lists(st.integers(1, 700), max_size=4), st.data())
def test_roots_and_proofs_from_tiles_are_those_of_the_recursion(size, cuts, data):
    leaves = [b"leaf %d" % i for i in range(size)]
    tree = _tree(leaves, cuts)
    root = naive_root(leaves)
    assert tree.root() == root == root_of([leaf_hash(leaf) for leaf in leaves])
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    path, proof = tree.inclusion(index), tree.consistency(old)
    assert list(path) == naive_path(index, leaves)
    assert list(proof) == naive_proof(old, leaves)
    assert verify_inclusion(index=index, size=size, leaf=leaf_hash(leaves[index]), proof=path, root=root)
    old_root = naive_root(leaves[:old])
    assert verify_consistency(old=old, new=size, old_root=old_root, new_root=root, proof=proof)


@given(st.integers(2, 40), st.data())
def test_a_changed_index_size_leaf_step_or_root_is_refused(size, data):
    leaves = [b"leaf %d" % i for i in range(size)]
    tree = _tree(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = list(tree.inclusion(index))
    good = {
        "index": index,
        "size": size,
        "leaf": leaf_hash(leaves[index]),
        "proof": path,
        "root": tree.root(),
    }
    assert verify_inclusion(**good)
    step = data.draw(st.integers(0, len(path) - 1))
    flipped = [bytes([h[0] ^ 1]) + h[1:] if i == step else h for i, h in enumerate(path)]
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
    for change in (
        {"proof": flipped},
        {"proof": path[:-1]},
        {"proof": [*path, path[-1]]},
        {"leaf": leaf_hash(b"another")},
        {"root": leaf_hash(b"another")},
        {"root": b""},
        {"index": other},
        {"index": -1},
        {"index": size},
    ):
        assert not verify_inclusion(**good | change), change


@given(st.integers(2, 40), st.data())
def test_a_log_that_changed_an_old_entry_has_no_consistency_proof(size, data):
    old = data.draw(st.integers(1, size - 1))
    leaves = [b"leaf %d" % i for i in range(size)]
    changed = data.draw(st.integers(0, old - 1))
    forged = [b"forged" if i == changed else leaf for i, leaf in enumerate(leaves)]
    proof = _tree(forged).consistency(old)
    sizes = {"old": old, "new": size, "old_root": naive_root(leaves[:old])}
    assert not verify_consistency(**sizes, new_root=naive_root(forged), proof=proof)
    assert verify_consistency(**sizes, new_root=naive_root(leaves), proof=_tree(leaves).consistency(old))


@given(
    st.integers(-2, 2**70),
    st.integers(-2, 2**70),
    st.lists(st.binary(max_size=40), max_size=70),
    st.binary(max_size=40),
    st.binary(max_size=40),
)
def test_verification_answers_any_nonsense_with_false(first, second, proof, one, two):
    assert verify_inclusion(index=first, size=second, leaf=one, proof=proof, root=two) in (
        False,
        first == 0 and second == 1 and one == two and len(one) == 32 and not proof,
    )
    assert verify_consistency(old=first, new=second, old_root=one, new_root=two, proof=proof) in (
        False,
        first == second > 0 and one == two and not proof,
    )


def test_an_inner_node_cannot_be_passed_off_as_a_leaf():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != root_of([left, right])


def test_no_proof_is_made_for_what_is_not_there():
    nodes = _tree([b"a", b"b"]).node
    for index, size in ((2, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match="is not in a tree"):
            inclusion_proof(index, size, nodes)
    for old, new in ((0, 2), (3, 2)):
        with pytest.raises(ValueError, match="no consistency proof"):
            consistency_proof(old, new, nodes)
    assert range_root(0, 0, nodes) == naive_root([])
