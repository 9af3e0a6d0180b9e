"""What is measured: the questions, their sizes, and which engines answer them."""

from dataclasses import dataclass, replace
from pathlib import Path

FEATURES = tuple(f"v{number}" for number in range(5))
HISTORY_ROWS_PER_ENTITY = 50
OURS = ("sql", "arrow", "colocated")
SINGLE_NODE = ("duckdb", "polars", "pandas")
EVERYONE = ("limit", *OURS, "duckdb", "duckdb_packed", "polars", "pandas", "tempo", "feast")
UPKEEP = ("upkeep",)
NOT_FEAST = tuple(name for name in EVERYONE if name != "feast")
STRONGEST = ("limit", "colocated", "duckdb", "duckdb_packed", "polars")
THOROUGH = (*STRONGEST, "arrow", "sql")


@dataclass(frozen=True)
class Case:
    """One question on one set of files.

    irregular     None: the plain question, each fact known when it happened. A share: the histories have two clocks and
                  identities, and that share of their rows came days late or corrects an earlier row
    is_sorted     the engines that answer once more on files sorted by key and time
    lays_out_anew    False: the layout of the case before it is used again, as every training set after the first does
    """

    name: str
    title: str
    spine_rows: int
    history_rows: int
    histories: int = 1
    keys: str = "zipf"
    irregular: float | None = None
    engines: tuple[str, ...] = EVERYONE
    is_sorted: tuple[str, ...] = ()
    lays_out_anew: bool = True
    runs: int = 7

    @property
    def entities(self) -> int:
        return self.history_rows // HISTORY_ROWS_PER_ENTITY

    @property
    def rows_each(self) -> str:
        return f"{short(self.spine_rows)} × {short(self.history_rows)}"

    @property
    def shuffle_partitions(self) -> int:
        """Sized to the data, for every engine on Spark: about 0.7 million facts each, and a power of two."""
        wanted = self.history_rows / 700_000
        return next(number for number in (4, 8, 16, 32, 64, 128) if number >= wanted or number == 128)


@dataclass(frozen=True)
class Question:
    """A case as an engine gets it: its files and options.

    Latest fact per entity with event_time < label_time, its whole row; equal event times are decided by the larger seq.
    Output: the spine's columns, then `h0__v0`, `h0__v1`, … of each history.
    """

    spine: Path
    histories: tuple[Path, ...]
    is_sorted: bool = False
    has_clocks: bool = False
    layouts: Path | None = None


def cases(*, is_quick: bool = False) -> tuple[Case, ...]:
    """All of them in the order in which they run; quick: the same at a tenth to a twentieth of the size."""
    return tuple(_small(case) for case in _CASES if case.name not in _ONLY_AT_FULL_SIZE) if is_quick else _CASES


def warm_up(case: Case) -> Case:
    """The small set that an engine answers first: code is loaded and compiled, but nothing of the case is read."""
    return replace(case, name="warm-up", spine_rows=20_000, history_rows=200_000, keys="zipf")


def _small(case: Case) -> Case:
    if case.name == "s":
        return case
    return replace(case, spine_rows=case.spine_rows // 10, history_rows=case.history_rows // 10)


def _grown(spine_rows: int) -> Case:
    return Case(
        f"spine_{spine_rows // 1000}k",
        f"{short(spine_rows)} spine rows",
        spine_rows,
        10_000_000,
        engines=("limit", "colocated"),
        lays_out_anew=False,
        runs=15,  # medians are subtracted from each other, so few of the runs may include the work of Java's compiler
    )


def _several(histories: int) -> Case:
    return Case(
        f"histories_{histories}",
        f"{histories} histor{'y' if histories == 1 else 'ies'}",
        500_000,
        2_500_000,
        histories=histories,
        engines=THOROUGH if histories == 10 else STRONGEST,
        is_sorted=("duckdb", "polars") if histories == 10 else (),
    )


def short(count: int) -> str:
    """1000000 as `1 M`."""
    for size, letter in ((1_000_000, " M"), (1_000, " k")):
        if count >= size:
            return f"{count / size:g}{letter}"
    return str(count)


_MILLION = 1_000_000
_CASES = (
    Case("s", "one history, small", 100_000, _MILLION, is_sorted=SINGLE_NODE),
    Case("m", "one history", _MILLION, 10 * _MILLION, is_sorted=SINGLE_NODE),
    _grown(250_000),
    _grown(500_000),
    _grown(1_000_000),  # as m, but by a process that laid nothing out, and so compiled less
    _grown(2_000_000),
    Case("m_uniform", "uniform keys", _MILLION, 10 * _MILLION, keys="uniform", engines=STRONGEST),
    Case("m_hot", "one key with 10 % of all rows", _MILLION, 10 * _MILLION, keys="hot", engines=THOROUGH),
    _several(1),
    _several(4),
    _several(10),
    Case("irregular_0", "0 % irregular", _MILLION, 10 * _MILLION, irregular=0.0, engines=("colocated",)),
    Case("irregular_1", "1 % irregular", _MILLION, 10 * _MILLION, irregular=0.01, engines=("colocated",)),
    Case("irregular_10", "10 % irregular", _MILLION, 10 * _MILLION, irregular=0.1, engines=THOROUGH),
    Case("upkeep", "a layout's upkeep", _MILLION, 10 * _MILLION, engines=UPKEEP),
    Case("l", "one history, large", 5 * _MILLION, 50 * _MILLION, engines=NOT_FEAST),
)
_ONLY_AT_FULL_SIZE = frozenset({"m", "l"})
