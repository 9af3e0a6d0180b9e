"""Which figures can't be judged, and why: counts that are missing or contradict each other.

A figure that is missing never makes a slice pass: it is left out of the validation table and is a problem of its
slice.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import pandas as pd

from quality.verdicts import Bounds, SliceFacts

COUNTS = ("rows", "nulls", "nans")
FIGURES = (*COUNTS, "minimum", "maximum")


class Problems:
    """The reasons why a slice can't be judged completely, each once, in the order in which they were found."""

    def __init__(self) -> None:
        self._by_slice: dict[str, list[str]] = defaultdict(list)

    def add(self, name: str, problem: str) -> None:
        if problem not in self._by_slice[name]:
            self._by_slice[name].append(problem)

    def add_rows(self, rows: pd.DataFrame, flaw: str) -> None:
        for name, feature in zip(rows["slice"], rows["feature"], strict=True):
            self.add(name, f"the slice {flaw}" if pd.isna(feature) else f"{feature} {flaw}")

    def of(self, name: str) -> tuple[str, ...]:
        return tuple(self._by_slice.get(name, ()))

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, problems in self._by_slice.items() if problems])


def consistent_facts(slices: Sequence[SliceFacts], problems: Problems) -> list[SliceFacts]:
    """The slices whose counts agree with each other; none of a slice whose counts were given twice."""
    given = Counter(facts.slice for facts in slices)
    consistent = []
    for facts in slices:
        wrong = _wrong_count(facts)
        if given[facts.slice] > 1:
            wrong = f"its counts were given {given[facts.slice]} times"
        if wrong is None:
            consistent.append(facts)
        else:
            problems.add(facts.slice, wrong)
    return consistent


def _wrong_count(facts: SliceFacts) -> str | None:
    for name in ("rows", "duplicate_keys", "null_keys", "rows_before", "rows_expected"):
        count: int | None = getattr(facts, name)
        if count is None and name in ("rows_before", "rows_expected"):
            continue
        if count is None or not count >= 0:
            return f"its {name} is {count}"
        if name in ("duplicate_keys", "null_keys") and count > facts.rows:
            return f"its {name} is {count} in {facts.rows} rows"
    return None


def consistent_figures(figures: pd.DataFrame, facts: Sequence[SliceFacts], problems: Problems) -> pd.DataFrame:
    """The rows of the profile whose figures agree with each other and with the counts of their slice."""
    slice_rows = figures["slice"].map({counted.slice: counted.rows for counted in facts})
    extremes_infinite = figures[["minimum", "maximum"]].isin([math.inf, -math.inf]).any(axis=1)
    flaws = {
        "has no name in the profile": figures["feature"].isna(),
        "stands more than once in the profile": figures.duplicated(["slice", "feature"], keep=False),
        "has a count that is missing or negative": ~(figures[list(COUNTS)] >= 0).all(axis=1),
        "has more null, NaN and infinite cells than rows": figures["nulls"] + figures["nans"] > figures["rows"],
        "has a minimum above its maximum": figures["minimum"] > figures["maximum"],
        "has an infinite extreme but no infinite cell": extremes_infinite & (figures["nans"] == 0),
        "was profiled on other rows than were counted": slice_rows.notna() & (figures["rows"] != slice_rows),
    }
    kept = pd.Series(True, index=figures.index)
    for flaw, where in flaws.items():
        problems.add_rows(figures[where & kept], flaw)
        kept &= ~where
    for name in figures.loc[slice_rows.isna(), "slice"].unique():
        if not problems.of(name):
            problems.add(name, "the profile has it, but its rows and keys were not counted")
    return figures[kept & slice_rows.notna()]


def find_missing(
    figures: pd.DataFrame, slices: Sequence[SliceFacts], bounds: Sequence[Bounds], problems: Problems
) -> None:
    """Adds a problem for each slice and each declared feature that the profile lacks."""
    profiled: dict[str, set[object]] = {
        str(name): set(features) for name, features in figures.groupby("slice")["feature"]
    }
    for facts in slices:
        if facts.slice not in profiled:
            problems.add(facts.slice, "the profile has no row for it")
            continue
        for bound in bounds:
            if bound.feature not in profiled[facts.slice]:
                problems.add(facts.slice, f"{bound.feature} is declared but not in the profile")
