"""What is remembered is remembered for the very same object, and for a few of them."""

from __future__ import annotations

from guildmark.core.memo import by_identity


def test_a_value_is_computed_once_and_an_equal_one_anew():
    asked = []

    @by_identity(2)
    def size(value):
        """How many there are."""
        asked.append(value)
        return len(value)

    first, equal = [1, 2], [1, 2]
    assert [size(first), size(first), size(equal), size(first)] == [2, 2, 2, 2]
    assert len(asked) == 2
    assert size.__doc__ == "How many there are."


def test_only_the_last_few_are_kept():
    asked = []

    @by_identity(2)
    def itself(value):
        asked.append(value)
        return value

    values = [["a"], ["b"], ["c"]]
    assert [itself(value) for value in [*values, values[0]]] == [["a"], ["b"], ["c"], ["a"]]
    assert len(asked) == 4
