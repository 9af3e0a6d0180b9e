"""All drawn rules joined by one strategy in few Spark jobs: rules with the same declarations share one history.

Stacked, a case's key gets the rule's name as its first part; a rule that is alone keeps the keys that it draws. One
join has all histories with the same knowledge, and one spine with every rule's rows.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

import pyarrow as pa
from pyspark.sql import functions as F

from pit_join import History, evidence_column, join_with_evidence, point_in_time_join
from tests.spec.pit_join.plain import in_utc, plain
from tests.spec.pit_join.rule import OUTCOME_COLUMNS, Rule
from tests.spec.pit_join.rules import RULES
from tests.support.drawn import ddl, kinds, table

AT_ONCE = 7  # histories in a join: the time that Spark plans for grows with their square
RULE, KEPT = "rule", "kept"
_KEPT = pa.map_(pa.string(), pa.int32())
LOST = {"unseen", "without_key"}  # the outcomes that a rule's rows have in other rules' histories

Prepare = Callable[[History], History]


@dataclass(frozen=True)
class Stack:
    """Rules that share one history."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def first(self) -> Rule:
        return self.rules[0]

    @property
    def prefix(self) -> tuple[str, ...]:
        return () if self.first.is_alone else (RULE,)

    @property
    def draws_nights(self) -> bool:
        """Whether some of its times are written out: extreme ones, and times near a clock change."""
        return any(re.search(r"\dT\d", rule.facts) for rule in self.rules)

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.features))

    @property
    def kinds(self) -> dict[str, str]:
        """The columns of all its rules, in an order that keeps each rule's own (S9). What a rule lacks is null."""
        types: dict[str, str] = {}
        before = TopologicalSorter[str]()
        for rule in self.rules:
            own = kinds(rule.facts)
            if any(types.get(name, kind) != kind for name, kind in own.items()):
                raise CycleError("a column has two types")
            types |= own
            for name, following in pairwise(own):
                before.add(following, name)
        return {name: types[name] for name in before.static_order()}

    def takes(self, rule: Rule) -> bool:
        first = self.first
        if rule.is_alone or first.is_alone or (rule.keys, rule.spine_keys) != (first.keys, first.spine_keys):
            return False
        if (rule.knowledge, rule.how) != (first.knowledge, first.how):
            return False
        try:
            return bool(Stack(self.name, (*self.rules, rule)).kinds)
        except CycleError:
            return False

    def history(self, spark: Any) -> History:
        drawn = [_named(table(rule.facts), rule) for rule in self.rules]
        types = {RULE: "string", **self.kinds}
        rows = pa.concat_tables(drawn, promote_options="default").select(list(types))
        frame = spark.createDataFrame(rows, ddl(types))
        how = dict(self.first.how)
        if "identity" in how:
            how["identity"] = (*self.prefix, *how["identity"])
        if self.first.spine_keys:
            how["spine_keys"] = (*self.prefix, *self.first.spine_keys)
        frame = frame if self.prefix else frame.drop(RULE)
        return History(self.name, frame, keys=(*self.prefix, *self.first.keys), features=self.features, **how)


def stacks(rules: Sequence[Rule]) -> list[Stack]:
    """Rules with the same declarations share a stack, as far as their columns have one order."""
    open_stacks: list[Stack] = []
    for rule in rules:
        index = next((index for index, stack in enumerate(open_stacks) if stack.takes(rule)), len(open_stacks))
        before = open_stacks[index].rules if index < len(open_stacks) else ()
        open_stacks[index : index + 1] = [Stack(f"h{index}", (*before, rule))]
    return open_stacks


def batches(rules: Sequence[Rule] = RULES) -> list[list[Stack]]:
    """The stacks of each join: with the same knowledge, and few enough that Spark plans it fast.

    The first batch has everything that a session's zone could change.
    """
    all_batches = []
    for knowledge in dict.fromkeys(rule.knowledge for rule in rules):
        here = stacks([rule for rule in rules if rule.knowledge == knowledge])
        here.sort(key=lambda stack: not stack.draws_nights)
        all_batches += [here[first : first + AT_ONCE] for first in range(0, len(here), AT_ONCE)]
    return all_batches


class Cases:
    """The rules as frames of one session, made once for any number of joins.

    `prepare` may return a history in another form of the same facts, laid out in buckets for example.
    """

    def __init__(self, spark: Any, rules: Sequence[Rule] = RULES, *, prepare: Prepare | None = None) -> None:
        self.batches = batches(rules)
        self.spines = [_spine(spark, batch) for batch in self.batches]
        self.histories = [[stack.history(spark) for stack in batch] for batch in self.batches]
        if prepare:
            self.histories = [[prepare(history) for history in histories] for histories in self.histories]

    def failures(
        self, strategy: str, *, partitions: int | None = None, only: Collection[int] | None = None
    ) -> list[str]:
        """One line for each row of a spine that is joined otherwise than drawn: none, if the rules hold.

        partitions: of every input; None: as they come. only: these batches; None: all.
        """
        lines = []
        for index, batch in enumerate(self.batches):
            if only is None or index in only:
                spine, histories = self.spines[index], self.histories[index]
                knowledge = batch[0].first.knowledge
                # A layout is written for knowledge at each label time.
                allowed = "auto" if strategy == "colocated" and knowledge == "latest" else strategy
                joined = _joined(spine, histories, knowledge, allowed, partitions)
                lines += [*_types(joined, spine, histories), *_rows(in_utc(joined.toArrow()), batch)]
        return lines

    def features(self, strategy: str, index: int, *, is_plain: bool) -> Counter[str]:
        """A batch's rows, each as often as it came; is_plain: joined without evidence, which computes less."""
        spine, histories = self.spines[index], self.histories[index]
        join = point_in_time_join if is_plain else join_with_evidence
        joined = join(spine, histories, knowledge=self.batches[index][0].first.knowledge, strategy=strategy)
        columns = [*spine.columns, *(f"{history.name}__{name}" for history in histories for name in history.features)]
        rows = in_utc(joined.select(*columns).toArrow()).to_pylist()
        return Counter(_line({name: plain(value) for name, value in row.items()}) for row in rows)


def failures(spark: Any, strategy: str = "auto", *, rules: Sequence[Rule] = RULES) -> list[str]:
    """The rules that a strategy breaks: rule, row, the expected and the actual values."""
    return Cases(spark, rules).failures(strategy)


@contextmanager
def session_like(spark: Any, settings: Mapping[str, str]) -> Iterator[None]:
    """Within, the session has these settings; afterwards it has its own again."""
    before = {name: spark.conf.get(name) for name in settings}
    try:
        for name, value in settings.items():
            spark.conf.set(name, value)
        yield
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)


def _named(drawn: pa.Table, rule: Rule) -> pa.Table:
    return drawn.add_column(0, RULE, pa.array([rule.says] * len(drawn), pa.string()))


def _spine(spark: Any, here: Sequence[Stack]) -> Any:
    """Every rule's rows: `rule`, a map that must come back, the keys under their names, `label_time` at the end."""
    rules = [rule for stack in here for rule in stack.rules]
    types = {name: kinds(rule.seen)[name] for rule in rules for name in rule.spine_columns}
    types = {RULE: "string", KEPT: "map<string,int>"} | types | {"label_time": types.pop("label_time")}
    drawn = [_named(table(rule.seen).select(rule.spine_columns), rule) for rule in rules]
    rows = pa.concat_tables(drawn, promote_options="default")
    kept = pa.array([[("b", None), ("a", len(rule))] for rule in rows[RULE].to_pylist()], _KEPT)
    return spark.createDataFrame(rows.append_column(KEPT, kept).select(list(types)), ddl(types))


def _joined(spine: Any, histories: Sequence[History], knowledge: str, strategy: str, partitions: int | None) -> Any:
    if partitions:
        spine = spine.repartition(partitions)
        histories = [replace(history, frame=history.frame.repartition(partitions)) for history in histories]
    joined = join_with_evidence(spine, histories, knowledge=knowledge, strategy=strategy)
    evidence = [
        F.col(evidence_column(history.name)).getField(column).alias(f"{history.name}:{column}")
        for history in histories
        for column in OUTCOME_COLUMNS
    ]
    features = [f"{history.name}__{name}" for history in histories for name in history.features]
    return joined.select(*spine.columns, *features, *evidence)


def _types(joined: Any, spine: Any, histories: Sequence[History]) -> list[str]:
    """The spine's columns and the features have the types that they had."""
    expected = dict(spine.dtypes)
    for history in histories:
        types = dict(history.frame.dtypes)
        expected |= {f"{history.name}__{name}": types[name] for name in history.features}
    actual = dict(joined.dtypes)
    return [f"{name} is {actual[name]}, and was {kind}" for name, kind in expected.items() if actual[name] != kind]


def _rows(answer: pa.Table, here: Sequence[Stack]) -> list[str]:
    """Every row, as often as it is drawn, as it is drawn: by its rule, since rows have no names (S15)."""
    of_rule = {rule.says: (stack, rule) for stack in here for rule in stack.rules}
    joined_rows: dict[str, Counter[str]] = {says: Counter() for says in of_rule}
    lines = []
    for row in answer.to_pylist():
        stack, rule = of_rule[row[RULE]]
        point = {name: row[name] for name in rule.spine_columns}
        seen = {name: row[f"{stack.name}__{name}"] for name in rule.features}
        outcome = {name: row[f"{stack.name}:{name}"] for name in rule.outcome_columns}
        joined_rows[rule.says][_line(point | seen | outcome)] += 1
        if [plain(row[KEPT])] != [[("a", len(rule.says)), ("b", None)]]:
            lines.append(f"{rule.says}: the spine's map came back as {row[KEPT]}")
        lines += [
            f"{rule.says}: {_line(point)} sees facts of other rules"
            for other in here
            if other is not stack and row[f"{other.name}:outcome"] not in LOST
        ]
    for rule in (rule for _, rule in of_rule.values()):
        expected = Counter(_line(row) for row in table(rule.seen).to_pylist())
        lines += [f"{rule.says}: wanted {row}" for row in (expected - joined_rows[rule.says]).elements()]
        lines += [f"{rule.says}: found  {row}" for row in (joined_rows[rule.says] - expected).elements()]
    return lines


def _line(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={plain(value)!r}" for name, value in row.items())
