"""Aggregate views: one row per entity and as-of instant, by the window kernel, for one instant or many alike (S21)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from compute.failures import Probe
from compute.numbers import expressed, finite_sql
from definitions.features import Feature
from definitions.operations.declared import Reads
from definitions.operations.table import window_operation
from definitions.types import DOUBLE, arrow_type, type_named
from definitions.views import AggregateView
from kernels.windows.aggregate import aggregate
from kernels.windows.plan import Output, WindowPlan
from temporal.versions import without_marked

_CLOCKS = ("event_time", "available_time", "superseded_at")


def snapshots(facts: DataFrame, view: AggregateView, as_ofs_us: Sequence[int], *, partitions: int) -> DataFrame:
    """facts: the source's rows with `superseded_at`. Returns keys, `event_time` (= T) and every published feature.

    One shuffle by key; each task holds its entities' facts in memory, so `partitions` is sized to the facts. 0: they
    are few, and collected and aggregated in this process, now.
    """
    # A tombstone says that a state ended, not that something happened (S8).
    facts = without_marked(facts, view.root.tombstone)
    aggregated = _aggregated(facts, view, as_ofs_us, partitions=partitions)
    return with_expressions(aggregated, view.outputs).select(
        *view.entity.key_names, "event_time", *[feature.name for feature in view.published]
    )


def _aggregated(facts: DataFrame, view: AggregateView, as_ofs_us: Sequence[int], *, partitions: int) -> DataFrame:
    """Keys, `event_time` and every aggregation, hidden ones too."""
    inputs = _Inputs(view)
    plan = WindowPlan(
        keys=view.entity.key_names,
        grid_us=tuple(sorted(as_ofs_us)),
        cut_delay_us=view.cut_delay_us,
        history_start_us=view.root.history_start_us,
        tie_break=view.root.tie_break if inputs.goes_by_order else (),
        view_columns=inputs.order,
        outputs=tuple(inputs.output(f) for f in view.aggregations),
    )
    sent = facts.select(*view.entity.key_names, *_CLOCKS, *inputs.columns())
    schema = T.StructType(
        [facts.schema[key] for key in view.entity.key_names]
        + [T.StructField("event_time", T.TimestampType())]
        + [T.StructField(f.name, _spark_type(f.type)) for f in view.aggregations]
    )
    if not partitions:
        return _aggregated_here(sent, plan, schema)
    shuffled = sent.repartition(partitions, *view.entity.key_names)
    return shuffled.mapInArrow(partial(_aggregate_partition, plan=plan), schema)


def probes(facts: DataFrame, view: AggregateView, as_ofs_us: Sequence[int]) -> Iterator[Probe]:
    """The expressions of a view, to find the one that failed: over its facts, then over what was aggregated of them."""
    facts = without_marked(facts, view.root.tombstone)
    for feature in view.aggregations:
        for expression in filter(None, (feature.input, feature.where)):
            yield Probe(feature.name, expression.text, F.expr(expression.sql), facts)
        if feature.input and window_operation(feature.operation).reads is Reads.QUANTA:
            yield Probe(feature.name, feature.input.text, F.expr(_quanta(feature)), facts, is_quantum=True)
    frame = _aggregated(facts, view, as_ofs_us, partitions=2)
    yield from expression_probes(frame, view.outputs)


def expression_probes(frame: DataFrame, outputs: Iterable[Feature]) -> Iterator[Probe]:
    """The expressions of snapshots, each after those that it may read."""
    frame = frame.withColumn("as_of", F.col("event_time"))
    for feature in outputs:
        if feature.operation == "expression" and feature.input is not None:
            yield Probe(feature.name, feature.input.text, expressed(feature.input), frame)
            frame = frame.withColumn(feature.name, expressed(feature.input))


def _aggregated_here(facts: DataFrame, plan: WindowPlan, schema: T.StructType) -> DataFrame:
    batches = list(_aggregate_partition(iter(facts.toArrow().to_batches()), plan))
    rows: Any = pa.Table.from_batches(batches) if batches else []
    return facts.sparkSession.createDataFrame(rows, schema=schema)


def with_expressions(frame: DataFrame, outputs: Iterable[Feature]) -> DataFrame:
    """Expressions in declared order; `as_of` is the snapshot's instant."""
    frame = frame.withColumn("as_of", F.col("event_time"))
    for feature in outputs:
        if feature.operation == "expression" and feature.input is not None:
            frame = frame.withColumn(feature.name, expressed(feature.input))
    return frame.drop("as_of")


def _aggregate_partition(batches: Iterator[pa.RecordBatch], plan: WindowPlan) -> Iterator[pa.RecordBatch]:
    facts = list(batches)
    if facts:
        yield from aggregate(pa.Table.from_batches(facts), plan).to_batches(max_chunksize=65_536)


def _spark_type(name: str) -> T.DataType:
    return T.DataType.fromDDL(name)


class _Inputs:
    """The columns sent to the kernel: each distinct input and filter once, what is added up as whole quanta."""

    def __init__(self, view: AggregateView) -> None:
        self._names: dict[str, str] = {}
        self._columns: dict[str, Column] = {}
        # The order of facts (S9) ends with all the view's columns: they are sent too where an operation goes by it.
        self.goes_by_order = any(window_operation(f.operation).goes_by_order for f in view.aggregations)
        self.order = tuple(c for c in view.source.schema if c not in _CLOCKS) if self.goes_by_order else ()
        self._sent = set(view.entity.key_names) | set(_CLOCKS)

    def output(self, feature: Feature) -> Output:
        return Output(
            name=feature.name,
            operation=feature.operation,
            input=self._input(feature),
            mask=self._mask(feature),
            window_us=feature.window.length_us if feature.window else None,
            divisor=feature.divisor,
            type=arrow_type(feature.type),
        )

    def _input(self, feature: Feature) -> str | None:
        match window_operation(feature.operation).reads:
            case Reads.ROWS:
                return None
            case Reads.VALUES:
                return self._add(_as_is(feature), "in")
            case Reads.QUANTA:
                return self._add(_quanta(feature), "in")

    def _mask(self, feature: Feature) -> str | None:
        """The filter; counting an input counts its non-null rows (S23)."""
        texts = [f"({feature.where.sql})"] if feature.where else []
        if feature.input and window_operation(feature.operation).reads is Reads.ROWS:
            texts.append(f"({finite_sql(feature.input)}) is not null")
        return self._add(f"coalesce({' and '.join(texts)}, false)", "mask") if texts else None

    def _add(self, sql: str, kind: str) -> str:
        name = self._names.setdefault(sql, f"_{kind}{len(self._names)}")
        self._columns[name] = F.expr(sql).alias(name)
        return name

    def columns(self) -> list[Column]:
        return [*self._columns.values(), *(F.col(name) for name in self.order if name not in self._sent)]


def _quanta(feature: Feature) -> str:
    """S24: an input as a whole number of quanta, rounded once, half-even."""
    if feature.input is None:
        raise ValueError(f"feature '{feature.name}' has no input")
    sql, type_, divisor = finite_sql(feature.input), type_named(feature.input.type), feature.divisor
    if type_ == DOUBLE:
        return f"cast(rint(({sql}) * {float(divisor)!r}D) as bigint)"
    if type_.is_decimal:
        return (
            f"cast(bround(({sql}) * {divisor}BD, 0) as bigint)" if divisor > 1 else f"cast(bround({sql}, 0) as bigint)"
        )
    return f"cast({sql} as bigint)"


def _as_is(feature: Feature) -> str:
    """An input of which values are compared or chosen; a decimal as the double that is published."""
    if feature.input is None:
        raise ValueError(f"feature '{feature.name}' has no input")
    is_decimal = type_named(feature.input.type).is_decimal
    return f"cast({feature.input.sql} as double)" if is_decimal else feature.input.sql
