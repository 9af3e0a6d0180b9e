"""The engines by name, each in a module that imports its library: a process loads only the one that it measures."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from benchmarks.pit.cases import Question


class Engine(Protocol):
    """One that is started, and answers."""

    def answer(self, question: Question, output: Path) -> None:
        """Read the question's files, join, and write parquet at `output`, a file or a folder."""


class LaysOut(Protocol):
    """One that needs layouts of the histories beforehand, which is timed separately."""

    def lay_out(self, question: Question) -> None:
        """Write the histories' layouts into `question.layouts`."""


class Keeps(Protocol):
    """One whose work is a series of steps, each timed once."""

    def steps(self, question: Question, output: Path) -> Iterator[tuple[str, Callable[[], None]]]:
        """Each step's name and its work."""


@dataclass(frozen=True)
class Known:
    """`title` as tables print it; `module` in this folder, whose `start(scratch, shuffle_partitions)` gives the engine.

    has_clocks    it joins by two clocks and corrected facts; the others get the plain question instead
    note          what was done so that it answers the same question
    """

    title: str
    module: str
    has_clocks: bool = False
    lays_out: bool = False
    note: str = ""


ENGINES: Mapping[str, Known] = MappingProxyType(
    {
        "limit": Known("limit: read and write only", "limit", note="pyarrow; joins nothing"),
        "sql": Known("Ziggurat, SQL", "ziggurat_sql", has_clocks=True),
        "arrow": Known("Ziggurat, Arrow", "ziggurat_arrow", has_clocks=True),
        "colocated": Known("Ziggurat, co-located", "ziggurat_colocated", has_clocks=True, lays_out=True),
        "duckdb": Known("DuckDB ASOF", "duckdb_asof", note="histories without ties beforehand: ASOF takes any of them"),
        "duckdb_packed": Known(
            "DuckDB ASOF, packed", "duckdb_packed", note="event_time and seq in one 128-bit number, nothing to resolve"
        ),
        "polars": Known("polars join_asof", "polars_join_asof", note="sorted by (event_time, seq), exact matches off"),
        "pandas": Known(
            "pandas merge_asof", "pandas_merge_asof", note="sorted by (event_time, seq), exact matches off"
        ),
        "tempo": Known(
            "dbl-tempo asofJoin", "tempo_asof", note="skipNulls=False; label times moved back by 1 µs for <"
        ),
        "feast": Known(
            "Feast, Spark store", "feast_spark", note="no ttl, seq as created; label times moved back by 1 µs"
        ),
        "upkeep": Known("Ziggurat, a layout's upkeep", "ziggurat_upkeep", has_clocks=True),
    }
)


def start(name: str, scratch: Path, shuffle_partitions: int) -> Engine:
    """The engine, its library loaded and its session open."""
    module = import_module(f"benchmarks.pit.engines.{ENGINES[name].module}")
    begin = cast(Callable[[Path, int], Engine], module.start)
    return begin(scratch, shuffle_partitions)
