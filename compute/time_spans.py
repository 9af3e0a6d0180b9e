"""Spans of time, for keys with more rows and facts than one task should hold: each span is looked up by itself.

A row needs the facts of its own span, and those of earlier spans that still count. Of each key these are few: the last
ones, back to one that every later row knows (`kernels.as_of.lasting`). They are carried into all later spans.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial, reduce
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from compute.bisection import smaller_cuts
from kernels.as_of.lasting import lasting
from kernels.as_of.lookup_facts import GONE, LookupFacts, LookupPlan
from kernels.as_of.search import NEVER
from kernels.columns import Ints

SPAN, _SLOT = "span", "slot"
_SLOTS = 8192  # of keys, by their hash; rows of several keys in one slot are cut together
_STEPS_PER_TASK = 16  # how finely a slot's time is counted before it is cut


@dataclass(frozen=True)
class TimeSpans:
    """cuts: by slot the last microsecond of each span but the last; slots without cuts are one span.

    asked_us: by slot and span, before which instant of knowledge no row of a later span asks.
    """

    plan: LookupPlan
    cuts: Mapping[int, Sequence[int]]
    asked_us: Mapping[tuple[int, int], int]

    @classmethod
    def of(cls, both: DataFrame, plan: LookupPlan, *, tasks: int) -> "TimeSpans":
        """Cut so that tasks get about equally many rows and facts. Reads keys and clocks of both now, at most twice."""
        keyed = both.where(has_key(plan)).select(
            _slot(plan),
            F.unix_micros(plan.event_time).alias("us"),
            F.when(F.col(GONE).isNull(), F.unix_micros(plan.available_time)).alias("asked_us"),
        )
        counts = [F.count("us").alias("rows"), F.min("us").alias("first"), F.max("us").alias("last")]
        slots = keyed.groupBy(_SLOT).agg(*counts).toArrow().to_pylist()
        most = -(-sum(slot["rows"] for slot in slots) // tasks)
        large = [_Slot.of(slot, most) for slot in slots if slot["rows"] > 2 * most]
        return _cut(keyed, plan, large, most) if large else cls(plan, {}, {})

    def span(self) -> Column:
        """The span that a row's or fact's event time lies in; 0 where its slot is not cut."""
        us, slot = F.unix_micros(self.plan.event_time), _slot(self.plan)
        whole: Column = F.lit(0)
        for number, cuts in self.cuts.items():
            whole = F.when(slot == number, smaller_cuts(us, cuts)).otherwise(whole)
        return whole.alias(SPAN)

    def carried(self, facts: DataFrame, *, tasks: int) -> DataFrame:
        """Facts of earlier spans that rows of a span may still take, with that SPAN. Cost: a shuffle of the facts."""
        cut = facts.select("*", _slot(self.plan), self.span()).where(F.col(_SLOT).isin(*self.cuts))
        shuffled = cut.repartition(tasks, *self.plan.keys, SPAN)
        plan = replace(self.plan, keys=(*self.plan.keys, SPAN))
        last = shuffled.mapInArrow(
            partial(_lasting, plan=plan, asked_us=self.asked_us, schema=to_arrow_schema(cut.schema)), cut.schema
        )
        ends = [F.when(F.col(_SLOT) == slot, len(cuts)) for slot, cuts in self.cuts.items()]
        later = F.sequence(F.col(SPAN) + 1, F.coalesce(*ends))
        return last.withColumn(SPAN, F.explode(later)).select(*facts.columns, SPAN)


def has_key(plan: LookupPlan) -> Column:
    """Whether something can be found: no part of the key is null, nor the event time."""
    return reduce(Column.__and__, [F.col(name).isNotNull() for name in (*plan.keys, plan.event_time)])


def _slot(plan: LookupPlan) -> Column:
    return F.pmod(F.xxhash64(*plan.keys), F.lit(_SLOTS)).cast("int").alias(_SLOT)


@dataclass(frozen=True)
class _Slot:
    """A slot with too many rows: step n of its time begins at first + n · width."""

    slot: int
    first: int
    width: int

    @classmethod
    def of(cls, counts: Mapping[str, int], most: int) -> "_Slot":
        steps = _STEPS_PER_TASK * -(-counts["rows"] // most)
        return cls(counts[_SLOT], counts["first"], (counts["last"] - counts["first"]) // steps + 1)

    def end(self, step: int) -> int:
        """The last microsecond of a step."""
        return self.first + (step + 1) * self.width - 1


def _cut(keyed: DataFrame, plan: LookupPlan, large: Sequence[_Slot], most: int) -> TimeSpans:
    slots = F.broadcast(keyed.sparkSession.createDataFrame(pa.Table.from_pylist([asdict(slot) for slot in large])))
    stepped = keyed.join(slots, on=_SLOT, how="inner").withColumn("step", F.expr("(us - first) div width"))
    counts = [F.count("us").alias("rows"), F.min("asked_us").alias("asked_us")]
    steps = stepped.groupBy(_SLOT, "step").agg(*counts).toArrow().sort_by("step").to_pylist()
    cuts: dict[int, list[int]] = {}
    asked_us: dict[tuple[int, int], int] = {}
    for slot in large:
        spans = _spans([step for step in steps if step[_SLOT] == slot.slot], most)
        cuts[slot.slot] = [slot.end(span[-1]["step"]) for span in spans[:-1]]
        asked = int(NEVER)
        for number in range(len(spans) - 1, 0, -1):
            asked = min([asked, *(step["asked_us"] for step in spans[number] if step["asked_us"] is not None)])
            asked_us[slot.slot, number - 1] = asked
    return TimeSpans(plan, cuts, asked_us)


def _spans(steps: Sequence[dict[str, Any]], most: int) -> list[list[dict[str, Any]]]:
    """Neighbouring steps together, as long as they have no more rows than that."""
    spans: list[list[dict[str, Any]]] = [[]]
    rows = 0
    for step in steps:
        if spans[-1] and rows + step["rows"] > most:
            spans.append([])
            rows = 0
        spans[-1].append(step)
        rows += step["rows"]
    return spans


def _lasting(
    batches: Iterator[pa.RecordBatch], *, plan: LookupPlan, asked_us: Mapping[tuple[int, int], int], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    received = list(batches)
    if received:
        facts = pa.Table.from_batches(received)
        asked, has_later = _asked(facts, asked_us)
        facts, asked = facts.filter(pa.array(has_later)), asked[has_later]
        if facts.num_rows:
            yield from lasting(LookupFacts(facts, plan), asked).cast(schema).to_batches(65_536)


def _asked(facts: pa.Table, asked_us: Mapping[tuple[int, int], int]) -> tuple[Ints, np.ndarray]:
    """Per fact the entry of its slot and span, and whether there is one: the last span has none after it."""
    places = np.stack([facts[name].to_numpy() for name in (_SLOT, SPAN)], axis=1)
    distinct, index = np.unique(places, axis=0, return_inverse=True)
    entries = [asked_us.get((int(slot), int(span))) for slot, span in distinct]
    asked = np.array([entry or 0 for entry in entries], np.int64)
    return asked[index], np.array([entry is not None for entry in entries])[index]
