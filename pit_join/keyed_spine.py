"""The spine in the form that every strategy joins: its rows whole, with their keys and label times beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import AtomicType

from pit_join.facts import SearchableFacts
from pit_join.history import History
from temporal.comparable import has_order, quoted

LABEL_US, SPINE = "label_us", "spine"
_MATCH = "match_"


@dataclass(frozen=True)
class KeyedSpine:
    """One row per row of the spine, duplicates included. Nothing but `spine` says which row it was (S15).

    `frame` has the columns
        spine      the row itself, as a struct
        label_us   its label time; null where it has none
        key_0 …    every column that some history is joined by
        spread_0 … for each set of keys: 0 where all of them are present, else a hash of the row. Rows without a key can
                   match nothing; the hash spreads them over all tasks
        match_0 …  the matches that earlier searches have added
    `computed` are the columns between the spine and the matches, as they are computed from the row.
    """

    frame: DataFrame
    spine_columns: tuple[str, ...]
    label_time: str
    key_names: tuple[str, ...]
    key_sets: tuple[tuple[str, ...], ...]
    computed: tuple[Column, ...]

    @property
    def matches(self) -> list[str]:
        """The matches that earlier searches have added."""
        return [name for name in self.frame.columns if name.startswith(_MATCH)]

    def with_matches(self, rows: DataFrame, matches: Sequence[str]) -> "KeyedSpine":
        """The same spine on a frame that has its rows and these matches."""
        return replace(self, frame=rows.select(SPINE, *self.computed, *matches))

    def keys(self, history: History) -> tuple[str, ...]:
        """This history's key columns, in its order."""
        return tuple(f"key_{self.key_names.index(name)}" for name in history.joined_by)

    def spread(self, history: History) -> str:
        """The column that spreads rows without this history's keys."""
        return f"spread_{self.key_sets.index(history.joined_by)}"


# Adds to the spine's frame one column per history, `match_0` … by its index: the struct of `at` (event_time,
# available_time, is_ended), `row` (the features' c0 …) and `is_tied` of the fact that each row sees, null where it sees
# none. is_tied: another fact that it sees has the same `at`. All else stays as it is, row for row. Rows without a key
# or a label time see nothing; of static histories they may get anything. A strategy is one such function.
Search = Callable[[KeyedSpine, Mapping[int, SearchableFacts]], DataFrame]


def match_name(index: int) -> str:
    return f"{_MATCH}{index}"


def key_spine(spine: DataFrame, histories: Sequence[History], *, label_time: str) -> KeyedSpine:
    """The spine with the keys of all histories beside its rows. A narrow pass."""
    key_sets = tuple(dict.fromkeys(history.joined_by for history in histories))
    key_names = tuple(dict.fromkeys(name for names in key_sets for name in names))
    rows = spine.select(F.struct(*(quoted(name) for name in spine.columns)).alias(SPINE))
    computed = (
        F.unix_micros(_field(label_time)).alias(LABEL_US),
        *(_field(name).alias(f"key_{n}") for n, name in enumerate(key_names)),
        *(_spread(spine, names).alias(f"spread_{n}") for n, names in enumerate(key_sets)),
    )
    return KeyedSpine(rows.select(SPINE, *computed), tuple(spine.columns), label_time, key_names, key_sets, computed)


def has_all(keys: Sequence[Column]) -> Column:
    """Whether none of these is null."""
    whole = F.lit(True)
    for key in keys:
        whole = whole & key.isNotNull()
    return whole


def _field(name: str) -> Column:
    return F.col(SPINE).getField(name)


def _spread(spine: DataFrame, names: Sequence[str]) -> Column:
    plain = [_field(f.name) for f in spine.schema if isinstance(f.dataType, AtomicType) and has_order(f.dataType)]
    return F.when(has_all([_field(name) for name in names]), F.lit(0).cast("bigint")).otherwise(F.xxhash64(*plain))
