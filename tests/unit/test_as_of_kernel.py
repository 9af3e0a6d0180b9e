"""The search of the as-of join against a loop over all facts."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.as_of.search import NEVER, NONE, SortedFacts, runs

FACT = st.tuples(st.integers(0, 3), st.integers(0, 9), st.one_of(st.none(), st.integers(1, 12)))
LABEL = st.tuples(st.integers(-1, 3), st.integers(-1, 14))


@settings(max_examples=600, deadline=None)
@given(st.lists(FACT, max_size=40), st.lists(LABEL, max_size=20), st.booleans())
def test_each_label_sees_the_last_fact_of_its_key_that_is_in_force(drawn, labels, none_superseded) -> None:
    facts = sorted(drawn, key=lambda fact: fact[0])
    keys = sorted({key for key, _, _ in facts})
    of = np.array([key for key, _, _ in facts], np.int64)
    visible = np.array([at for _, at, _ in facts], np.int64)
    until = np.array([NEVER if end is None or none_superseded else max(end, at + 1) for _, at, end in facts], np.int64)
    starts = runs(of[1:] != of[:-1]) if len(of) else np.zeros(1, np.int64)
    number = np.array([keys.index(key) if key in keys else NONE for key, _ in labels], np.int64)
    at_us = np.array([at for _, at in labels], np.int64)
    seen_rows = SortedFacts(starts, visible, None if none_superseded else until).seen(number, at_us)
    for (key, at), row in zip(labels, seen_rows, strict=True):
        in_force = [i for i in range(len(facts)) if of[i] == key and visible[i] <= at < until[i]]
        assert row == max(in_force, default=NONE)


def test_a_key_with_thousands_of_overlapping_corrections_costs_no_more_than_sorting() -> None:
    """Every interval overlaps every other: comparing pairs would take 4 · 10⁹ steps."""
    many = 60_000
    visible = np.arange(many)
    facts = SortedFacts(np.array([0, many]), visible, 2 * many - visible)
    at_us = np.arange(-1, 2 * many, 7)
    seen_rows = facts.seen(np.zeros(len(at_us), np.int64), at_us)
    expected = np.minimum(at_us, 2 * many - at_us - 1)
    assert (seen_rows == np.maximum(expected, NONE)).all()
