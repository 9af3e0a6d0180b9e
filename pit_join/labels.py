"""The spine in the form that every strategy searches for: its rows whole, with their keys and instants beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import AtomicType

from pit_join.facts import Facts
from pit_join.history import History
from temporal.comparable import has_order, quoted

LABEL_US, SPINE = "label_us", "spine"
_MATCH = "match_"


@dataclass(frozen=True)
class Labels:
    """One row per row of the spine, duplicates included; nothing but `spine` says which row it was (S15).

    `frame` has the columns
        spine      the row itself, as a struct
        label_us   its label time; null where it has none
        key_0 …    every column that some history is joined by
        away_0 …   for each set of keys: 0 where all of them are there, else a hash of the row, so that the rows
                   without a key, which can see nothing, don't meet in one task
        match_0 …  what earlier searches have found
    `beside` are the columns between the spine and the matches, as they are computed from the row.
    """

    frame: DataFrame
    spine_columns: tuple[str, ...]
    label_time: str
    key_names: tuple[str, ...]
    key_sets: tuple[tuple[str, ...], ...]
    beside: tuple[Column, ...]

    @property
    def matches(self) -> list[str]:
        """What was found already, by searches before."""
        return [name for name in self.frame.columns if name.startswith(_MATCH)]

    def on(self, rows: DataFrame, matches: Sequence[str]) -> "Labels":
        """The same labels on a frame that has the spine's rows, and these matches beside them."""
        return replace(self, frame=rows.select(SPINE, *self.beside, *matches))

    def keys(self, history: History) -> tuple[str, ...]:
        """This history's key columns, in its order."""
        return tuple(f"key_{self.key_names.index(name)}" for name in history.joined_by)

    def away(self, history: History) -> str:
        return f"away_{self.key_sets.index(history.joined_by)}"


# Adds to the labels' frame one column per history, `match_0` … by its place: the struct of `at` (event_time,
# available_time, is_ended), `row` (the features' c0 …) and `is_tied` of the fact that each row sees, null where it sees
# none. is_tied: another fact that it sees has the same `at`. All else stays as it is, row for row. Rows without a key
# or a label time see nothing; of static histories they may get anything. A strategy is one such function.
Search = Callable[[Labels, Mapping[int, Facts]], DataFrame]


def match_name(index: int) -> str:
    return f"{_MATCH}{index}"


def labels_of(spine: DataFrame, histories: Sequence[History], *, label_time: str) -> Labels:
    """A narrow pass over the spine."""
    key_sets = tuple(dict.fromkeys(history.joined_by for history in histories))
    key_names = tuple(dict.fromkeys(name for names in key_sets for name in names))
    rows = spine.select(F.struct(*(quoted(name) for name in spine.columns)).alias(SPINE))
    beside = (
        F.unix_micros(_field(label_time)).alias(LABEL_US),
        *(_field(name).alias(f"key_{n}") for n, name in enumerate(key_names)),
        *(_away(spine, names).alias(f"away_{n}") for n, names in enumerate(key_sets)),
    )
    return Labels(rows.select(SPINE, *beside), tuple(spine.columns), label_time, key_names, key_sets, beside)


def _field(name: str) -> Column:
    return F.col(SPINE).getField(name)


def has_all(keys: Sequence[Column]) -> Column:
    """Whether none of these is null."""
    whole = F.lit(True)
    for key in keys:
        whole = whole & key.isNotNull()
    return whole


def _away(spine: DataFrame, names: Sequence[str]) -> Column:
    plain = [_field(f.name) for f in spine.schema if isinstance(f.dataType, AtomicType) and has_order(f.dataType)]
    return F.when(has_all([_field(name) for name in names]), F.lit(0).cast("bigint")).otherwise(F.xxhash64(*plain))
