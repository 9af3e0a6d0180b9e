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
from pit_join.buckets import BUCKET, Wanted, flat, restored, sorted_facts, wanted, where_to
from pit_join.facts import AT_LABEL, Facts, brought, facts_of
from pit_join.history import History
from pit_join.labels import Labels
from pit_join.layout import Layout

AT_ONCE = 2**20  # rows of a file, and labels


def search(labels: Labels, facts: Mapping[int, Facts]) -> DataFrame:
    """The `Search` of this strategy: one shuffle of the labels for all histories with the same keys and buckets."""
    frame, asked = flat(labels), {place: wanted(each, place) for place, each in facts.items()}
    for places in _together(facts):
        steps = [_Step(asked[place], _bucket_files(facts[place])) for place in places]
        frame = _answered(frame, labels, facts[places[0]], steps)
    return restored(frame, labels, list(asked.values()))


def _together(facts: Mapping[int, Facts]) -> list[list[int]]:
    """Histories that one pass can answer; those with a tail each go alone, with it."""
    passes: dict[object, list[int]] = {}
    for place, each in facts.items():
        layout = layout_of(each.history)
        alone = place if layout.tail is not None else None
        passes.setdefault((each.keys, layout.buckets, alone), []).append(place)
    return list(passes.values())


def _answered(frame: DataFrame, labels: Labels, facts: Facts, steps: "Sequence[_Step]") -> DataFrame:
    layout = layout_of(facts.history)
    fields = [field for step in steps for field in step.fields]
    schema = StructType([*frame.schema.fields, *fields])
    mine = frame.withColumn(BUCKET, where_to(labels, facts, layout.buckets)).repartition(layout.buckets, BUCKET)
    if layout.tail is None:
        return mine.mapInArrow(_by_bucket(steps), schema)
    history = replace(facts.history, frame=layout.tail, layout=None)
    tail = facts_of(history, keys=facts.keys, knowledge=AT_LABEL)
    theirs = sorted_facts(tail, buckets=layout.buckets, partitions=layout.buckets)
    return mine.groupBy(BUCKET).cogroup(theirs.groupBy(BUCKET)).applyInArrow(_with_tail(steps[0]), schema)


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
    files: "tuple[_Files, list[StructField]]"

    @property
    def fields(self) -> list[StructField]:
        return self.asked.fields(StructType(self.files[1]))

    def found(self, labels: pa.Table, bucket: int, tail: Iterable[pa.Table] = ()) -> pa.Table:
        return self.asked.found(labels, (piece for pieces in (self.files[0].pieces(bucket), tail) for piece in pieces))


def _bucket_files(facts: Facts) -> tuple[_Files, list[StructField]]:
    layout = layout_of(facts.history)
    keys = [f"key_{n}" for n in range(len(facts.keys))]
    own = ["visible_us", "event_time", *(name for name in facts.clocks if name != "event_time")]
    own += ["superseded_us"] * facts.has_superseded + ["tied_until_us"] * facts.counts_ties
    features = [layout.column_of[name] for name in _in_place(facts.history)]
    names = {name: name for name in (*keys, *own)} | dict(zip(features, brought(facts.history), strict=True))
    fields = [replace_name(layout.laid.schema[name], called) for name, called in names.items()]
    files = {bucket: layout.files(bucket) for bucket in layout.laid.files}
    return _Files(files, names, to_arrow_schema(StructType(fields))), fields


def _in_place(history: History) -> list[str]:
    """The features in the order of `brought`."""
    return [name for name in history.frame.columns if name in history.features]


def replace_name(field: StructField, name: str) -> StructField:
    return StructField(name, field.dataType, nullable=True)


def _by_bucket(steps: "Sequence[_Step]") -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def answer(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for slab in _slabs(batches):
            here = slab[BUCKET].to_numpy()
            order = np.argsort(here, kind="stable")
            slab, here = slab.drop_columns(BUCKET).take(pa.array(order)), here[order]
            for bucket in np.unique(here):
                first, end = np.searchsorted(here, [bucket, bucket + 1])
                found = slab.slice(first, end - first).combine_chunks()
                for step in steps:
                    found = step.found(found, int(bucket))
                yield from found.to_batches()

    return answer


def _with_tail(step: "_Step") -> Callable[[pa.Table, pa.Table], pa.Table]:
    def answer(labels: pa.Table, tail: pa.Table) -> pa.Table:
        names = [name for name in labels.column_names if name != BUCKET]
        if not labels.num_rows:
            return step.found(labels.select(names), -1)
        bucket = labels[BUCKET][0].as_py()
        return step.found(labels.select(names), bucket, [tail.combine_chunks()])

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
