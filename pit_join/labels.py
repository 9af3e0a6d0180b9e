"""The spine in the form that every strategy searches for: its rows whole, with their keys and instants beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import AtomicType

from pit_join.facts import Facts
from pit_join.history import History
from pit_join.ordering import has_order, quoted

LABEL_US, SPINE = "label_us", "spine"


@dataclass(frozen=True)
class Labels:
    """One row per row of the spine, duplicates included; nothing but `spine` says which row it was (S15).

    `frame` has the columns
        spine      the row itself, as a struct
        label_us   its label time; null where it has none
        key_0 …    every column that some history is joined by
        away_0 …   for each set of keys: 0 where all of them are there, else a hash of the row, so that the rows
                   without a key, which can see nothing, don't meet in one task
    """

    frame: DataFrame
    key_names: tuple[str, ...]
    key_sets: tuple[tuple[str, ...], ...]

    @property
    def spine_columns(self) -> list[str]:
        return self.frame.select(f"{SPINE}.*").columns

    def keys(self, history: History) -> tuple[str, ...]:
        """This history's key columns, in its order."""
        return tuple(f"key_{self.key_names.index(name)}" for name in history.joined_by)

    def away(self, history: History) -> str:
        return f"away_{self.key_sets.index(history.joined_by)}"


# Adds to the labels' frame one column per history, `match_0` … by its place: the struct of `at` (event_time,
# available_time, is_ended), `row` (the features' c0 …) and `is_tied` of the fact that each row sees, null where it sees
# none. is_tied: another fact that it sees has the same `at`. All else stays as it is, row for row. Rows without keys or
# label time may get anything. A strategy is one such function.
Search = Callable[[Labels, Mapping[int, Facts]], DataFrame]


def match_name(place: int) -> str:
    return f"match_{place}"


def labels_of(spine: DataFrame, histories: Sequence[History], *, label_time: str) -> Labels:
    """A narrow pass over the spine."""
    key_sets = tuple(dict.fromkeys(history.joined_by for history in histories))
    key_names = tuple(dict.fromkeys(name for names in key_sets for name in names))
    frame = spine.select(
        F.struct(*(quoted(name) for name in spine.columns)).alias(SPINE),
        F.unix_micros(quoted(label_time)).alias(LABEL_US),
        *(quoted(name).alias(f"key_{n}") for n, name in enumerate(key_names)),
        *(_away(spine, names).alias(f"away_{n}") for n, names in enumerate(key_sets)),
    )
    return Labels(frame, key_names, key_sets)


def has_all(keys: Sequence[Column]) -> Column:
    """Whether none of these is null."""
    whole = F.lit(True)
    for key in keys:
        whole = whole & key.isNotNull()
    return whole


def _away(spine: DataFrame, names: Sequence[str]) -> Column:
    plain = [quoted(f.name) for f in spine.schema if isinstance(f.dataType, AtomicType) and has_order(f.dataType)]
    return F.when(has_all([quoted(name) for name in names]), F.lit(0).cast("bigint")).otherwise(F.xxhash64(*plain))
