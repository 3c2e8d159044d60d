"""RDFC-1.0: W3C's own cases, the same names whatever the order, and graphs made to stall a verifier."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paths import counted, vectors
from tests.unit.credential.nquads import parse

from guildmark.credential.rdfc import TooMuchWork, canonical_labels, canonicalize, line, literal


def cases():
    return json.loads((vectors("w3c-rdf-canon") / "rdfc10-tests.json").read_text())


def test_every_case_of_w3c_has_its_canonical_form():
    count = 0
    for case in cases():
        algorithm = case["hashAlgorithm"].lower()
        quads = parse(case["input"])
        if case["expected"] is None:
            with pytest.raises(TooMuchWork):
                canonicalize(quads, algorithm=algorithm)
        else:
            assert canonicalize(quads, algorithm=algorithm) == case["expected"], case["id"]
        count += 1
    assert count >= 39
    counted("w3c-rdf-canon", [case["id"] for case in cases()])


def test_the_canonical_form_of_a_canonical_form_is_itself():
    for case in cases():
        if case["expected"]:
            algorithm = case["hashAlgorithm"].lower()
            assert canonicalize(parse(case["expected"]), algorithm=algorithm) == case["expected"], case["id"]


# --- Names and order do not matter ----------------------------------------------------------------------

_nodes = st.integers(0, 4).map(lambda n: f"_:e{n}")
_terms = st.one_of(_nodes, st.sampled_from(["<http://a/x>", '"1"', '"b"@en']))
_quads = st.tuples(
    _nodes, st.sampled_from(["<http://a/p>", "<http://a/q>"]), _terms, st.sampled_from(["", "<http://a/g>", "_:e0"])
)


@given(st.lists(_quads, min_size=1, max_size=9), st.permutations(range(5)), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_other_names_and_another_order_give_the_same_form(quads, names, shuffled):
    other = [tuple(f"_:x{names[int(t[3])]}" if t.startswith("_:e") else t for t in quad) for quad in quads]
    shuffled.shuffle(other)
    assert canonicalize(other) == canonicalize(quads)
    # Labels that look canonical already are labels like any other.
    alike = [tuple(f"_:c14n{names[int(t[3])]}" if t.startswith("_:e") else t for t in quad) for quad in quads]
    assert canonicalize(alike) == canonicalize(quads)


@given(st.lists(_quads, min_size=1, max_size=6), st.lists(_quads, min_size=1, max_size=6))
@settings(deadline=None)
def test_two_datasets_have_one_form_exactly_if_some_renaming_makes_them_equal(first, second):
    from itertools import permutations

    def renamed(quads, names):
        return {tuple(f"_:e{names[int(t[3])]}" if t.startswith("_:e") else t for t in quad) for quad in quads}

    same = any(renamed(first, names) == set(second) for names in permutations(range(5)))
    assert (canonicalize(first) == canonicalize(second)) is same


def test_a_repeated_statement_is_one_statement():
    quad = ("_:a", "<http://a/p>", '"1"', "")
    assert canonicalize([quad, quad]) == '_:c14n0 <http://a/p> "1" .\n'


def test_an_empty_dataset_has_an_empty_form():
    assert canonicalize([]) == ""


def test_lines_stand_in_order_of_code_points_and_not_of_utf_16():
    low, high = "\uff5e", "\U00010000"  # as UTF-16, the second would come first
    quads = [("<http://a/s>", "<http://a/p>", literal(text), "") for text in (high, low)]
    assert canonicalize(quads) == f'<http://a/s> <http://a/p> "{low}" .\n<http://a/s> <http://a/p> "{high}" .\n'


def test_sha384_names_tied_nodes_by_its_own_hashes():
    """Two nodes that only a hash tells apart: the names follow from first-degree hashes, recomputed here."""
    quads = [("_:a", "<http://a/p>", '"one"', ""), ("_:b", "<http://a/p>", '"two"', "")]
    lines = [b'_:a <http://a/p> "one" .\n', b'_:a <http://a/p> "two" .\n']
    for algorithm in ("sha256", "sha384"):
        hashes = [hashlib.new(algorithm, line).hexdigest() for line in lines]
        first = "one" if hashes[0] < hashes[1] else "two"
        assert f'_:c14n0 <http://a/p> "{first}" .' in canonicalize(quads, algorithm=algorithm)


# --- Literals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('a"b\\c', r'"a\"b\\c"'),
        ("\b\t\n\f\r", r'"\b\t\n\f\r"'),
        ("\x00\x01\x0b\x1f\x7f", r'"\u0000\u0001\u000B\u001F\u007F"'),
        ("é\u0085\u2028\U0001f600", '"é\u0085\u2028\U0001f600"'),
    ],
)
def test_a_literal_escapes_what_canonical_n_quads_escape_and_nothing_else(text, written):
    assert literal(text) == written


def test_every_character_is_escaped_as_rdfc_says():
    """RDFC-1.0 section 5: short escapes for seven, `\\u` for other controls, DEL and what XML 1.1 has no place for."""
    short = {0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0C: "\\f", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}
    for code in [*range(0xD800), *range(0xE000, 0x10400), 0x10FFFE, 0x10FFFF]:
        long = code < 0x20 or code in (0x7F, 0xFFFE, 0xFFFF)
        expected = short.get(code) or (f"\\u{code:04X}" if long else chr(code))
        assert literal(chr(code)) == f'"{expected}"', hex(code)


def test_the_labels_are_those_of_the_canonical_form():
    for case in cases():
        if case["expected"]:
            quads, algorithm = parse(case["input"]), case["hashAlgorithm"].lower()
            names = canonical_labels(quads, algorithm=algorithm)
            assert "".join(sorted({line(quad, names) for quad in quads})) == case["expected"], case["id"]


def test_every_map_of_labels_that_w3c_gives_comes_out():
    path = vectors("w3c-rdf-canon/rdfc10-map-tests.json")
    for case in json.loads(path.read_text()):
        names = canonical_labels(parse(case["input"]), algorithm=case["hashAlgorithm"].lower())
        plain = {label.removeprefix("_:"): name.removeprefix("_:") for label, name in names.items()}
        assert plain == case["expected"], case["id"]
    counted("w3c-rdf-canon", [case["id"] for case in json.loads(path.read_text())])


def test_a_language_or_another_type_is_written_after_the_text():
    assert literal("x", language="en-AU") == '"x"@en-AU'
    assert literal("1", "http://a/t") == '"1"^^<http://a/t>'


# --- Graphs made to stall -------------------------------------------------------------------------------


def clique(size):
    """Every node points at every other: all orders look alike."""
    return [(f"_:n{a}", "<http://a/p>", f"_:n{b}", "") for a in range(size) for b in range(size) if a != b]


def pairs(count):
    """Many pairs of nodes that point at each other: many ties, each cheap."""
    return [
        quad
        for n in range(count)
        for quad in ((f"_:a{n}", "<http://a/p>", f"_:b{n}", ""), (f"_:b{n}", "<http://a/p>", f"_:a{n}", ""))
    ]


def chain(size):
    """A ring: following neighbours goes as deep as there are nodes."""
    return [(f"_:n{n}", "<http://a/p>", f"_:n{(n + 1) % size}", "") for n in range(size)]


def star(size):
    """One node with many like neighbours: a factorial of orders."""
    return [("_:hub", "<http://a/p>", f"_:n{n}", "") for n in range(size)] + [
        ("_:hub2", "<http://a/p>", f"_:n{n}", "") for n in range(size)
    ]


@pytest.mark.parametrize(
    "quads",
    [clique(10), clique(60), chain(500), star(40), pairs(20_000)],
    ids=["clique", "large", "ring", "star", "pairs"],
)
def test_a_poison_graph_is_refused_in_a_second(quads):
    start = time.perf_counter()
    with pytest.raises(TooMuchWork, match=r"takes too much work; give them ids"):
        canonicalize(quads)
    assert time.perf_counter() - start < 5  # generous: a busy machine; unbounded it would take hours


def bound_holds(quads, algorithm):
    spent = []
    for _ in range(3):  # the least of three: others use this machine too
        start = time.process_time()
        with pytest.raises(TooMuchWork):
            canonicalize(quads, algorithm=algorithm)
        spent.append(time.process_time() - start)
    return min(spent) < 0.05


@pytest.mark.parametrize("algorithm", ["sha256", "sha384"])
@pytest.mark.parametrize("size", [6, 7, 8, 20])
def test_a_clique_is_refused_in_less_than_50_ms(size, algorithm):
    """Of five nodes it is named; six is the smallest that asks for too much."""
    assert bound_holds(clique(size), algorithm)


def test_the_poison_graph_of_w3c_is_refused_in_less_than_50_ms():
    """test074: ten nodes of which each points at each."""
    (quads,) = [parse(case["input"]) for case in cases() if case["expected"] is None] or [clique(10)]
    assert bound_holds(quads, "sha256")


def test_a_small_graph_of_the_same_kind_is_named():
    for quads in (clique(4), chain(8), star(4), pairs(10)):
        assert canonicalize(quads).count("\n") == len(quads)


def test_the_limit_is_the_callers_to_choose():
    with pytest.raises(TooMuchWork):
        canonicalize(clique(4), most_work=10)
