"""The strategies by name, and the rule that chooses one for each history. None changes the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pyspark.sql import DataFrame

from features.errors import UsageError, did_you_mean
from pit_join import arrow_strategy, sql_strategy
from pit_join.history import History
from pit_join.labels import Search

AUTO, SQL, ARROW, COLOCATED = "auto", "sql", "arrow", "colocated"
STRATEGIES: Mapping[str, Search] = MappingProxyType({SQL: sql_strategy.search, ARROW: arrow_strategy.search})


@dataclass(frozen=True)
class Choice:
    """How one history will be joined, and why."""

    history: str
    strategy: str
    reason: str


def choose(spine: DataFrame, histories: Sequence[History], *, knowledge: str, strategy: str) -> list[Choice]:
    known = (AUTO, *STRATEGIES)
    if strategy not in known:
        raise UsageError(f"strategy '{strategy}' is unknown.{did_you_mean(strategy, known)}")
    return [Choice(h.name, SQL if strategy == AUTO else strategy, "asked for") for h in histories]
