"""A split by time: train, validation and test, with a gap before each boundary that is as long as an outcome takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from definitions.durations import duration_us, instant_or_none, instant_text, instant_us
from definitions.errors import SpineColumnsError, UsageError
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.split_request import SPLIT, SplitRequest

TRAIN, VALIDATION, TEST, GAP = PARTS = ("train", "validation", "test", "gap")


@dataclass(frozen=True)
class Split:
    """The boundaries: validation begins at the first, test at the second; `gap_us` before each belongs to neither."""

    validation_us: int
    test_us: int
    gap_us: int

    @classmethod
    def of_manifest(cls, told: Mapping[str, Any]) -> "Split | None":
        """From what `counted` told; None where there is no split."""
        if not told:
            return None
        return cls(instant_us(told["validation_from"]), instant_us(told["test_from"]), duration_us(told["gap"]))

    def column(self) -> Column:
        """A function of the label time alone. A row without one can't be placed: it is in the gap."""
        at = F.unix_micros(LABEL_TIME)
        return (
            F.when(at >= self.test_us, TEST)
            .when((at >= self.validation_us) & (at + self.gap_us <= self.test_us), VALIDATION)
            .when(at + self.gap_us <= self.validation_us, TRAIN)
            .otherwise(GAP)
            .alias(SPLIT)
        )


def refuse_taken(columns: Sequence[str]) -> None:
    if taken := next((name for name in columns if name.lower() == SPLIT), None):
        raise SpineColumnsError(
            f"the spine's column '{taken}' has the name of the column that a split writes; rename or drop it."
        )


def placed(spine: DataFrame, asked: SplitRequest) -> Split:
    """The boundaries for this spine, each at a distinct label time. Raises UsageError without any label time.

    A share takes whole instants: the part before a boundary has at most its share of the rows, gap included. Cost: for
    shares, a sort of the distinct label times.
    """
    gap_us = duration_us(asked.gap)
    if asked.at:
        first, second = (instant_us(text) for text in asked.at)
        return Split(first, second, gap_us)
    at = F.unix_micros(LABEL_TIME)
    per_time = spine.where(at.isNotNull()).groupBy(at.alias("at")).agg(F.count(F.lit(1)).alias("rows"))
    total = per_time.agg(F.sum("rows")).collect()[0][0]
    if not total:
        raise UsageError("--split: the spine has no label time, so there is nothing to split by.")
    train, validation, _ = (Decimal(share) for share in asked.shares)
    positions = [int(share * total) for share in (train, train + validation)]
    through = F.sum("rows").over(Window.orderBy("at").rowsBetween(Window.unboundedPreceding, Window.currentRow))
    found = per_time.select("at", through.alias("through")).agg(
        *(F.min(F.when(F.col("through") > position, F.col("at"))) for position in positions)
    )
    boundaries = found.collect()[0]
    return Split(boundaries[0], boundaries[1], gap_us)


def counted(spine: DataFrame, split: Split, asked: SplitRequest) -> dict[str, Any]:
    """What the manifest tells: boundaries, and each part's rows with its first and last label time.

    Raises UsageError for shares that leave a part without rows; `at` may name times that are still to come.
    """
    at = F.unix_micros(LABEL_TIME)
    grouped = spine.groupBy(split.column()).agg(
        F.count(F.lit(1)).alias("rows"), F.min(at).alias("first"), F.max(at).alias("last")
    )
    found = {row[SPLIT]: row for row in grouped.collect()}
    parts = {
        part: {
            "rows": found[part]["rows"] if part in found else 0,
            "first": instant_or_none(found[part]["first"]) if part in found else None,
            "last": instant_or_none(found[part]["last"]) if part in found else None,
        }
        for part in PARTS
    }
    if asked.shares and (empty := [part for part in PARTS[:3] if not parts[part]["rows"]]):
        counts = ", ".join(f"{part} {parts[part]['rows']:,}" for part in PARTS)
        raise UsageError(
            f"--split {','.join(asked.shares)} with a gap of {asked.gap} leaves no row for {' and '.join(empty)} "
            f"({counts}); choose other shares, a spine over a longer time, or boundaries with --split-at."
        )
    return {
        "validation_from": instant_text(split.validation_us),
        "test_from": instant_text(split.test_us),
        "gap": asked.gap,
        "parts": parts,
    }
