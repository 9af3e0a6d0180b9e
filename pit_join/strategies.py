"""The strategies by name, and the rule that chooses one for each history. No strategy changes the result.

The first condition that holds decides. On Spark Connect, whose workers may lack this package: sql. Where the spine or
the history has values that Arrow can't hold, or keys that compare by a collation: sql. Where the history has a layout
that fits: colocated. Otherwise sql, which needs nothing on the workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DataType, StringType, StructType
from pyspark.sql.utils import is_remote

from definitions.errors import UsageError, did_you_mean
from pit_join import arrow_strategy, colocated_strategy, sql_strategy
from pit_join.facts import AT_LABEL
from pit_join.history import History
from pit_join.keyed_spine import Search

AUTO, SQL, ARROW, COLOCATED = "auto", "sql", "arrow", "colocated"
STRATEGIES: Mapping[str, Search] = MappingProxyType(
    {SQL: sql_strategy.search, ARROW: arrow_strategy.search, COLOCATED: colocated_strategy.search}
)


@dataclass(frozen=True)
class Choice:
    """How one history will be joined, and why."""

    history: str
    strategy: str
    reason: str


def choose(spine: DataFrame, histories: Sequence[History], *, knowledge: str, strategy: str) -> list[Choice]:
    """One per history, in their order. Raises UsageError for a strategy that is unknown, or that can't join one."""
    known = (AUTO, *STRATEGIES)
    if strategy not in known:
        raise UsageError(f"strategy '{strategy}' is unknown.{did_you_mean(strategy, known)}")
    return [_chosen(spine, history, knowledge, strategy) for history in histories]


def _chosen(spine: DataFrame, history: History, knowledge: str, strategy: str) -> Choice:
    no_workers = _why_not_on_workers(spine, history)
    no_layout = _why_no_layout(history, knowledge)
    if strategy == AUTO:
        if no_workers or no_layout:
            return Choice(history.name, SQL, no_workers or no_layout)
        return Choice(history.name, COLOCATED, _why_colocated(history))
    if strategy != SQL and no_workers:
        raise UsageError(f"{history.where} can't be joined with strategy '{strategy}': {no_workers}; use 'sql'.")
    if strategy == COLOCATED and no_layout and not history.is_static:
        raise UsageError(
            f"{history.where} can't be joined with strategy 'colocated': {no_layout}; use 'auto', or lay it out: "
            "ziggurat layout build, or pit_join.lay_out(history, folder)."
        )
    if strategy == COLOCATED and no_layout:
        return Choice(history.name, SQL, no_layout)
    return Choice(history.name, strategy, "as requested")


def _why_not_on_workers(spine: DataFrame, history: History) -> str:
    if is_remote():
        return "the session is on Spark Connect, whose workers may lack this package"
    keys = [history.type_of(key) for key in history.keys]
    if any(isinstance(key, StringType) and key.collation != "UTF8_BINARY" for key in keys):
        return "its key compares by a collation, which only Spark implements"
    fields = [*spine.schema.fields, *(history.frame.schema[name] for name in history.features)]
    return next((f"column '{field.name}' is {field.dataType.simpleString()}, which Arrow can't hold"
                 for field in fields if not _travels(field.dataType)), "")  # fmt: skip


def _travels(kind: DataType) -> bool:
    try:
        to_arrow_schema(StructType().add("value", kind))
    except PySparkException:
        return False
    return True


def _why_no_layout(history: History, knowledge: str) -> str:
    if history.is_static:
        return "it is static: one row per key, looked up"
    if history.layout is None:
        return "it has no layout"
    if knowledge != AT_LABEL:
        return f"its layout was written for knowledge='{AT_LABEL}', not for knowledge='{knowledge}'"
    return ""


def _why_colocated(history: History) -> str:
    layout = history.layout
    if layout is None:
        return ""
    tail = "" if layout.tail is None else "; newer facts are shuffled"
    return f"its facts are sorted in {layout.buckets} buckets, only the spine is shuffled{tail}"
