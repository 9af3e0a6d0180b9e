"""A split by time: train, validation and test, with a gap before each boundary that is as long as an outcome takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import partial

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from definitions.durations import duration_us, instant_or_none, instant_text, instant_us
from definitions.errors import DefinitionError, SpineColumnsError, UsageError
from definitions.labels import Label
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.manifest import SplitPart, SplitRequest, SplitRows

SPLIT = "split"  # the column that it writes
TRAIN, VALIDATION, TEST, GAP = PARTS = ("train", "validation", "test", "gap")


@dataclass(frozen=True)
class Split:
    """The boundaries: validation begins at the first, test at the second; `gap_us` before each belongs to neither."""

    validation_us: int
    test_us: int
    gap_us: int

    @classmethod
    def of_part(cls, part: SplitPart | None) -> "Split | None":
        """The boundaries that a manifest names; None where it has no split."""
        if part is None:
            return None
        return cls(instant_us(part.validation_from), instant_us(part.test_from), duration_us(part.gap))

    def column(self) -> Column:
        """A function of the label time alone. A row without a label time is in the gap."""
        at = F.unix_micros(LABEL_TIME)
        return (
            F.when(at >= self.test_us, TEST)
            .when((at >= self.validation_us) & (at + self.gap_us <= self.test_us), VALIDATION)
            .when(at + self.gap_us <= self.validation_us, TRAIN)
            .otherwise(GAP)
            .alias(SPLIT)
        )


def split_spine(spine: DataFrame, request: SplitRequest) -> SplitPart:
    """The request's boundaries in this spine, each at a distinct label time, with the rows of each part.

    A share takes whole instants: the part before a boundary has at most its share of the rows, gap included. Raises
    UsageError for a spine without any label time, and for shares that leave a part without rows; `at` may name times
    that are still to come. Cost: a count by part, and for shares a sort of the distinct label times.
    """
    gap_us = duration_us(request.gap)
    first, second = map(instant_us, request.at) if request.at else _boundaries(spine, request)
    parts = _parts(spine, Split(first, second, gap_us))
    if request.shares and (empty := [part for part in PARTS[:3] if not parts[part].rows]):
        counts = ", ".join(f"{part} {parts[part].rows:,}" for part in PARTS)
        raise UsageError(
            f"--split {','.join(request.shares)} with a gap of {request.gap} leaves no row for {' and '.join(empty)} "
            f"({counts}); choose other shares, a spine over a longer time, or boundaries with --split-at."
        )
    return SplitPart(instant_text(first), instant_text(second), request.gap, parts)


def refuse_split_column(columns: Sequence[str]) -> None:
    """Raises SpineColumnsError for a spine that has a column of the name that a split writes."""
    if taken := next((name for name in columns if name.lower() == SPLIT), None):
        raise SpineColumnsError(
            f"the spine's column '{taken}' has the name of the column that a split writes; rename or drop it."
        )


def parse_split(shares: str, at: str, gap: str) -> SplitRequest | None:
    """The request that the options `--split`, `--split-at` and `--gap` make; None without them. Raises UsageError."""
    if shares and at:
        raise UsageError("--split and --split-at are two ways to choose the boundaries; give one of them.")
    if not shares and not at:
        if gap:
            raise UsageError(f"--gap {gap} is the gap of a split; say --split 0.7,0.15,0.15 or --split-at T,T too.")
        return None
    if gap:
        _option_value(lambda: duration_us(gap, where="--gap"))
    words = tuple(word.strip() for word in (shares or at).split(","))
    return SplitRequest(shares=_shares(words), gap=gap) if shares else SplitRequest(at=_instants(words), gap=gap)


def with_gap(request: SplitRequest, label: Label | None) -> SplitRequest:
    """The same request with its gap: the given one, else the horizon of the label whose spine it is.

    Raises UsageError where neither is there, or where the gap is shorter than the horizon.
    """
    if label is None:
        if not request.gap:
            raise UsageError(
                "the spine is not that of a label declared here, so it is not known how long its outcomes take; say it "
                "with --gap 30d (0s if they are instants)."
            )
        return request
    if request.gap and duration_us(request.gap) < label.horizon_us:
        raise UsageError(
            f"--gap {request.gap} is shorter than the horizon of {label.where}, {label.horizon}: outcomes of the train "
            "rows would reach into validation. Leave --gap out, or make it longer."
        )
    return replace(request, gap=request.gap or label.horizon)


def _shares(words: tuple[str, ...]) -> tuple[str, ...]:
    try:
        shares = [Decimal(word) for word in words]
        is_whole = len(shares) == 3 and all(0 < share < 1 for share in shares) and sum(shares) == 1
    except InvalidOperation:
        is_whole = False
    if not is_whole:
        raise UsageError(
            f"--split {','.join(words)}: write the shares of train, validation and test; they add up to 1, "
            "e.g. 0.7,0.15,0.15."
        )
    return tuple(f"{share.normalize():f}" for share in shares)


def _instants(words: tuple[str, ...]) -> tuple[str, ...]:
    instants = [_option_value(partial(instant_us, word, where="--split-at")) for word in words]
    if len(instants) != 2 or instants[0] >= instants[1]:
        raise UsageError(
            f"--split-at {','.join(words)}: write two instants, the first of validation and the first of test, in "
            "this order."
        )
    return tuple(instant_text(us) for us in instants)


def _option_value(read: Callable[[], int]) -> int:
    """A wrong word is a mistake of this call, not of a definition."""
    try:
        return read()
    except DefinitionError as error:
        raise UsageError(str(error)) from None


def _boundaries(spine: DataFrame, request: SplitRequest) -> tuple[int, int]:
    at = F.unix_micros(LABEL_TIME)
    per_time = spine.where(at.isNotNull()).groupBy(at.alias("at")).agg(F.count(F.lit(1)).alias("rows"))
    total = per_time.agg(F.sum("rows")).collect()[0][0]
    if not total:
        raise UsageError("--split: the spine has no label time, so there is nothing to split by.")
    train, validation, _ = (Decimal(share) for share in request.shares)
    positions = [int(share * total) for share in (train, train + validation)]
    through = F.sum("rows").over(Window.orderBy("at").rowsBetween(Window.unboundedPreceding, Window.currentRow))
    boundaries = per_time.select("at", through.alias("through")).agg(
        *(F.min(F.when(F.col("through") > position, F.col("at"))) for position in positions)
    )
    first, second = boundaries.collect()[0]
    return first, second


def _parts(spine: DataFrame, split: Split) -> dict[str, SplitRows]:
    at = F.unix_micros(LABEL_TIME)
    grouped = spine.groupBy(split.column()).agg(
        F.count(F.lit(1)).alias("rows"), F.min(at).alias("first"), F.max(at).alias("last")
    )
    counts = {row[SPLIT]: row for row in grouped.collect()}
    return {
        part: SplitRows(
            counts[part]["rows"], instant_or_none(counts[part]["first"]), instant_or_none(counts[part]["last"])
        )
        if part in counts
        else SplitRows(0, None, None)
        for part in PARTS
    }
