"""Look-ups in facts with clocks: rows and facts meet by key, and the look-up kernel finds what each row takes (S13)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from compute.duplicates import may_repeat
from compute.time_spans import SPAN, TimeSpans, has_key
from definitions.views import Duplicates, Lookup
from kernels.as_of.lookup_facts import GONE, LookupFacts, LookupPlan
from kernels.as_of.lookups import FACTS, look_up
from temporal.comparable import quoted
from temporal.versions import is_marked, stands_at

FEWEST = 8  # partitions: more than most machines' cores, so that a few keys do not all meet in one
_BATCH_ROWS, _ROWS_AT_ONCE = 65_536, 500_000
_SENT_KEYS = 200_000  # rows of which every task may hold the keys
_E, _A, _S = "event_time", "available_time", "superseded_at"


@dataclass(frozen=True)
class LookedUp:
    """A look-up with its facts (with `superseded_at`, unless static).

    is_regular: no fact has a second version, and each was known no later than any row that may look it up. Then a row's
    match never changes. Otherwise each change of what a row takes makes a new version of the row.
    are_few: every task may hold all facts, so that rows need not be shuffled.
    asking: how many rows look up, where they are far fewer than the facts: most facts then have a key that no row has,
    and are left out before both are shuffled.
    """

    lookup: Lookup
    facts: DataFrame
    is_regular: bool
    are_few: bool = False
    asking: int | None = None


def with_matches(rows: DataFrame, looked_up: LookedUp, *, partitions: int) -> DataFrame:
    """The rows' columns, `_taken`, `_gone` and `_facts` as `duplicates.resolved` has them: null where nothing is found.

    Cost: few facts are collected now and sent to every task, and nothing is shuffled. Otherwise one shuffle of both by
    key, into that many partitions, of which a Python worker holds one in memory; with more than FEWEST, both are
    counted before, now, and keys with very many of them are cut by time. partitions=0: rows and facts are few, and are
    looked up in this process, now.
    """
    travel = Travel.of(rows, looked_up)
    sent_rows, facts = travel.rows(rows), travel.facts(looked_up)
    if not partitions:
        return travel.restored(_looked_up_here(sent_rows, facts, travel))
    if looked_up.are_few:
        held = LookupFacts(facts.toArrow(), travel.plan).sorted()
        return travel.restored(sent_rows.mapInArrow(partial(_look_up_rows, facts=held, travel=travel), travel.schema))
    if looked_up.asking is not None:
        facts = _asked(facts, sent_rows, travel, most_keys=looked_up.asking)
    return travel.restored(_shuffled(sent_rows, facts, travel, partitions))


def _asked(facts: DataFrame, sent_rows: DataFrame, travel: "Travel", *, most_keys: int) -> DataFrame:
    """The facts whose key some row has."""
    asked = sent_rows.select(*travel.plan.keys).distinct()
    asked = F.broadcast(asked) if most_keys <= _SENT_KEYS else asked
    return facts.join(asked, on=list(travel.plan.keys), how="left_semi")


def _shuffled(sent_rows: DataFrame, facts: DataFrame, travel: "Travel", partitions: int) -> DataFrame:
    both = sent_rows.unionByName(facts, allowMissingColumns=True)
    span = F.lit(0)
    if partitions > FEWEST:
        spans = TimeSpans.of(both, travel.plan, tasks=partitions)
        if spans.cuts:
            carried = spans.carried(facts, tasks=partitions)
            both = both.withColumn(SPAN, spans.span()).unionByName(carried, allowMissingColumns=True)
            span = F.col(SPAN)
    spread = F.pmod(F.xxhash64(*travel.row_names), F.lit(partitions))  # of rows that find nothing
    place = F.when(has_key(travel.plan), span).otherwise(spread)
    shuffled = both.repartition(partitions, *map(F.col, travel.plan.keys), place)
    return shuffled.mapInArrow(partial(_look_up_partition, travel=travel), travel.schema)


def usable(looked_up: LookedUp) -> DataFrame:
    """The facts that a row can find, with `_gone`: whether each is a tombstone.

    They have all their keys and an event time. A version that was superseded when it became known never counts.
    """
    lookup = looked_up.lookup
    facts = looked_up.facts.withColumn("_gone", is_marked(lookup.source.root.tombstone))
    for name in (*lookup.on, _E):
        facts = facts.where(quoted(name).isNotNull())
    return facts if looked_up.is_regular else facts.where(F.col(_A).isNotNull() & stands_at(F.col(_A), F.col(_S)))


@dataclass(frozen=True)
class Travel:
    """Both sides as they are sent: in one frame, under names that can't meet. Keys and clocks share a column.

    columns: the rows', sent as r0 …; compared: the facts' that are taken or compared, sent as f0 …
    """

    lookup: Lookup
    columns: tuple[str, ...]
    compared: tuple[str, ...]
    plan: LookupPlan
    schema: T.StructType

    @classmethod
    def of(cls, rows: DataFrame, looked_up: LookedUp) -> "Travel":
        lookup = looked_up.lookup
        row_names = {name: f"r{n}" for n, name in enumerate(rows.columns)}
        ties, rest = _order(lookup)
        compared = tuple(dict.fromkeys([*lookup.take, *ties, *rest]))
        names = {name: f"f{n}" for n, name in enumerate(compared)}
        plan = LookupPlan(
            keys=tuple(row_names[key] for key in lookup.on),
            event_time=row_names[_E],
            available_time=row_names[_A],
            superseded_at=row_names[_S],
            take=tuple(_sent(lookup.take, names)),
            breakers=(*_sent(ties, names), row_names[_A], GONE, *_sent(rest, names)) if rest else (),
            duplicates=lookup.duplicates if may_repeat(lookup) else None,
            has_versions=not looked_up.is_regular,
        )
        taken = [T.StructField(names[name], looked_up.facts.schema[name].dataType) for name in lookup.take]
        found = [T.StructField(GONE, T.BooleanType()), T.StructField(FACTS, T.LongType())]
        own = [T.StructField(row_names[field.name], field.dataType) for field in rows.schema]
        return cls(lookup, tuple(rows.columns), compared, plan, T.StructType([*own, *taken, *found]))

    @property
    def row_names(self) -> list[str]:
        return [f"r{n}" for n in range(len(self.columns))]

    @property
    def fact_names(self) -> list[str]:
        clocks = (self.plan.event_time, self.plan.available_time, self.plan.superseded_at)
        return [*self.plan.keys, *clocks, *(f"f{n}" for n in range(len(self.compared))), GONE]

    def rows(self, rows: DataFrame) -> DataFrame:
        return rows.select(*[quoted(name).alias(sent) for name, sent in zip(self.columns, self.row_names, strict=True)])

    def facts(self, looked_up: LookedUp) -> DataFrame:
        names = [*self.lookup.on, _E, _A, _S, *self.compared, "_gone"]
        sent = zip(names, self.fact_names, strict=True)
        return usable(looked_up).select(*[quoted(name).alias(sent_name) for name, sent_name in sent])

    def restored(self, matched: DataFrame) -> DataFrame:
        own = [F.col(sent).alias(name) for sent, name in zip(self.row_names, self.columns, strict=True)]
        taken = zip(self.plan.take, self.lookup.take, strict=True)
        values = F.struct(*[F.col(sent).alias(name) for sent, name in taken]).alias("_taken")
        return matched.select(*own, values, F.col(GONE).alias("_gone"), F.col(FACTS).alias("_facts"))


def _order(lookup: Lookup) -> tuple[Sequence[str], Sequence[str]]:
    """The columns by which S9 orders facts of one event time: those before the available time, those after it."""
    if lookup.duplicates is not Duplicates.LATEST or not may_repeat(lookup):
        return (), ()
    return lookup.source.root.tie_break, [name for name in lookup.source.schema if name not in (_E, _A)]


def _sent(columns: Sequence[str], names: Mapping[str, str]) -> list[str]:
    return [names[column] for column in columns]


def _look_up_partition(batches: Iterator[pa.RecordBatch], *, travel: Travel) -> Iterator[pa.RecordBatch]:
    rows: list[pa.RecordBatch] = []
    facts: list[pa.RecordBatch] = []
    for batch in batches:
        own, others = batch.select(travel.row_names), batch.select(travel.fact_names)
        is_fact, rows_in = batch[GONE].is_valid(), batch[GONE].null_count
        rows.append(own if rows_in == len(batch) else own.filter(pc.invert(is_fact)))
        facts.append(others.slice(0, 0) if rows_in == len(batch) else others.filter(is_fact))
    if rows:
        held = LookupFacts(pa.Table.from_batches(facts), travel.plan)
        yield from _matched(pa.Table.from_batches(rows), held, travel).to_batches(_BATCH_ROWS)


def _look_up_rows(batches: Iterator[pa.RecordBatch], *, facts: LookupFacts, travel: Travel) -> Iterator[pa.RecordBatch]:
    """As many batches at once as make a search worth its while, however many the task has."""
    rows: list[pa.RecordBatch] = []
    for batch in batches:
        rows.append(batch)
        if sum(map(len, rows)) >= _ROWS_AT_ONCE:
            yield from _matched(pa.Table.from_batches(rows), facts, travel).to_batches(_BATCH_ROWS)
            rows = []
    if rows:
        yield from _matched(pa.Table.from_batches(rows), facts, travel).to_batches(_BATCH_ROWS)


def _matched(rows: pa.Table, facts: LookupFacts, travel: Travel) -> pa.Table:
    """Instants come to a worker with the session's zone in their type; they are the same in UTC."""
    return look_up(rows, facts).cast(to_arrow_schema(travel.schema))


def _looked_up_here(rows: DataFrame, facts: DataFrame, travel: Travel) -> DataFrame:
    matched: Any = _matched(rows.toArrow(), LookupFacts(facts.toArrow(), travel.plan), travel)
    return rows.sparkSession.createDataFrame(matched, schema=travel.schema)
