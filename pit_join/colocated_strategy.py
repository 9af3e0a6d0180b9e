"""The search where the facts lie: only the spine moves, and each worker reads the files of its bucket itself.

What is not laid out yet, the tail, comes to the same worker by a shuffle. Memory of a worker: a million facts of one
file at a time, and a million labels.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructField, StructType

from lakehouse.tables import filesystem
from pit_join.buckets import BUCKET, Sent, Wanted, in_utc, sorted_facts, wanted
from pit_join.facts import AT_LABEL, Facts, brought, facts_of
from pit_join.history import History
from pit_join.labels import Labels
from pit_join.layout import Layout

AT_ONCE = 2**20  # rows of a file, and labels
FACTS_A_TASK = 2_500_000
NOWHERE = -1  # a bucket without labels has nothing to read


def search(labels: Labels, facts: Mapping[int, Facts]) -> DataFrame:
    """The `Search` of this strategy: one shuffle of the labels for all histories with the same keys and buckets."""
    for places in _together(facts):
        labels = _answered(labels, {place: facts[place] for place in places})
    return labels.frame


def _together(facts: Mapping[int, Facts]) -> list[list[int]]:
    """Histories that one pass can answer; those with a tail each go alone, with it."""
    passes: dict[object, list[int]] = {}
    for place, each in facts.items():
        layout = layout_of(each.history)
        alone = place if layout.tail is not None else None
        passes.setdefault((each.keys, layout.buckets, alone), []).append(place)
    return list(passes.values())


def _answered(labels: Labels, facts: Mapping[int, Facts]) -> Labels:
    first = next(iter(facts.values()))
    layout, rows = layout_of(first.history), sum(layout_of(each.history).rows for each in facts.values())
    steps = [_Step.of(labels, each, place) for place, each in facts.items()]
    sent = Sent.of(labels, first, layout.buckets)
    schema = sent.schema([field for step in steps for field in step.fields])
    typed = to_arrow_schema(schema)
    if layout.tail is None:
        mine = _spread(sent.frame, tasks_for(sent.frame, rows, layout.buckets))
        found = mine.mapInArrow(_by_bucket(steps, sent.names, typed), schema)
    else:
        history = replace(first.history, frame=layout.tail, layout=None)
        tail = facts_of(history, keys=first.keys, knowledge=AT_LABEL, has_evidence=first.has_evidence)
        theirs = sorted_facts(tail, buckets=layout.buckets, partitions=layout.buckets)
        mine = sent.frame.repartition(layout.buckets, BUCKET)
        together = mine.groupBy(BUCKET).cogroup(theirs.groupBy(BUCKET))
        found = together.applyInArrow(_with_tail(steps[0], sent.names, typed), schema)
    return sent.back(found, [step.asked for step in steps])


def tasks_for(frame: DataFrame, rows: int, buckets: int) -> int:
    """On most Sparks a task costs an eighth of a second before it does anything: it shall read millions of facts.

    More of them where the session says that its shuffles are large, since labels are many then, too.
    """
    configured = int(frame.sparkSession.conf.get("spark.sql.shuffle.partitions") or buckets)
    return min(buckets, max(2, -(-rows // FACTS_A_TASK), configured // 4))


def _spread(frame: DataFrame, tasks: int) -> DataFrame:
    """As many buckets to each task; before Spark 4.1 as their hashes fall."""
    if hasattr(frame, "repartitionById"):
        return frame.repartitionById(tasks, BUCKET)
    return frame.repartition(tasks, BUCKET)


def layout_of(history: History) -> Layout:
    if history.layout is None:
        raise ValueError(f"{history.where} has no layout")  # the chooser lets none of these come here
    return history.layout


@dataclass(frozen=True)
class _Files:
    """Where a worker finds a bucket's pieces, and how it calls their columns."""

    of: Mapping[int, Sequence[tuple[str, Sequence[tuple[int, int]]]]]
    names: Mapping[str, str]
    schema: pa.Schema

    def pieces(self, bucket: int) -> Iterator[pa.Table]:
        """Always at least one, if only to say the types."""
        yield self.schema.empty_table()
        for path, masked in self.of.get(bucket, ()):
            for piece in _read(path, list(self.names)):
                yield _unmasked(piece, masked).rename_columns(list(self.names.values()))


@dataclass(frozen=True)
class _Step:
    """One history in a bucket."""

    asked: Wanted
    files: _Files
    fields: tuple[StructField, ...]

    @classmethod
    def of(cls, labels: Labels, facts: Facts, place: int) -> "_Step":
        layout, asked = layout_of(facts.history), wanted(labels, facts, place)
        keys = [f"key_{n}" for n in range(len(facts.keys))]
        own = ["visible_us", *facts.clocks]
        # With one run the rows of a key stand in order, piece after piece; else event times say which is the latest.
        own += ["event_time"] * (not layout.is_one_run and "event_time" not in own)
        own += ["superseded_us"] * facts.has_superseded + ["tied_until_us"] * facts.counts_ties
        features = {layout.column_of[name]: place for name, place in brought(facts.history).items()}
        names = {name: name for name in (*keys, *own)} | features
        schema = StructType([StructField(called, layout.laid.schema[name].dataType) for name, called in names.items()])
        files = {bucket: layout.files(bucket) for bucket in layout.laid.files}
        return cls(asked, _Files(files, names, to_arrow_schema(schema)), tuple(asked.fields(schema)))

    def found(self, labels: pa.Table, bucket: int, tail: Iterable[pa.Table] = ()) -> list[pa.Array]:
        return self.asked.found(labels, (piece for pieces in (self.files.pieces(bucket), tail) for piece in pieces))


def _by_bucket(
    steps: Sequence[_Step], kept: list[str], schema: pa.Schema
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def answer(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for slab in _slabs(batches):
            here = slab[BUCKET].to_numpy()
            order = np.argsort(here, kind="stable")
            slab, here = slab.take(pa.array(order)), here[order]
            for bucket in np.unique(here):
                first, end = np.searchsorted(here, [bucket, bucket + 1])
                labels = slab.slice(first, end - first).combine_chunks()
                found = [array for step in steps for array in step.found(labels, int(bucket))]
                yield from in_utc([*labels.select(kept).columns, *found], schema).to_batches()

    return answer


def _with_tail(step: _Step, kept: list[str], schema: pa.Schema) -> Callable[[pa.Table, pa.Table], pa.Table]:
    def answer(labels: pa.Table, tail: pa.Table) -> pa.Table:
        bucket = labels[BUCKET][0].as_py() if labels.num_rows else NOWHERE
        named = in_utc(tail.select(step.files.schema.names).combine_chunks().columns, step.files.schema)
        found = step.found(labels, bucket, [named])
        return in_utc([*labels.select(kept).columns, *found], schema)

    return answer


def _slabs(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The batches in tables of about a million rows."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(len(each) for each in held) >= AT_ONCE:
            yield pa.Table.from_batches(held).combine_chunks()
            held = []
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def _read(path: str, columns: list[str]) -> Iterator[pa.Table]:
    located = filesystem(path)
    if located is None:
        raise ValueError(f"{path}: workers know no file system of this scheme; join with strategy='sql'")
    system, place = located
    with system.open_input_file(place) as file:
        for batch in pq.ParquetFile(file).iter_batches(AT_ONCE, columns=columns, use_threads=False):
            yield pa.Table.from_batches([batch]).select(columns)


def _unmasked(piece: pa.Table, masked: Sequence[tuple[int, int]]) -> pa.Table:
    """Without the facts that a later run, or the tail, holds anew."""
    if not masked:
        return piece
    at = piece["event_time"].cast(pa.int64()).to_numpy()
    starts, ends = (np.array(sorted(edges), np.int64) for edges in zip(*masked, strict=True))
    covered = np.searchsorted(starts, at, "right") > np.searchsorted(ends, at, "right")
    return piece.filter(pa.array(~covered))
