"""The search where the facts lie: only the spine moves, and each worker reads the files of its bucket itself.

What is not laid out yet, the tail, comes to the same worker by a shuffle. Memory of a worker: a million labels, and a
million facts of a file, or two of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructField, StructType

from kernels.as_of.search import runs
from kernels.columns import Ints
from pit_join.bucket_files import AT_ONCE, BucketFiles
from pit_join.buckets import BUCKET, Sent, Wanted, in_utc, sorted_facts, wanted
from pit_join.facts import AT_LABEL, Facts, brought, facts_of
from pit_join.history import History
from pit_join.labels import Labels
from pit_join.layout import Layout

FACTS_A_TASK = 2_500_000
NOWHERE = -1  # a bucket without labels has nothing to read


def search(labels: Labels, facts: Mapping[int, Facts]) -> DataFrame:
    """The `Search` of this strategy: one shuffle of the labels for all histories with the same keys and buckets."""
    for places in _together(facts):
        labels = _answered(labels, {index: facts[index] for index in places})
    return labels.frame


def _together(facts: Mapping[int, Facts]) -> list[list[int]]:
    """Histories that one pass can answer; those with a tail each go alone, with it."""
    passes: dict[object, list[int]] = {}
    for index, each in facts.items():
        layout = layout_of(each.history)
        alone = index if layout.tail is not None else None
        passes.setdefault((each.keys, layout.buckets, alone), []).append(index)
    return list(passes.values())


def _answered(labels: Labels, facts: Mapping[int, Facts]) -> Labels:
    first = next(iter(facts.values()))
    layout, rows = layout_of(first.history), sum(layout_of(each.history).rows for each in facts.values())
    steps = [_Step.of(labels, each, index) for index, each in facts.items()]
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
class _Step:
    """One history in a bucket."""

    asked: Wanted
    files: BucketFiles
    fields: tuple[StructField, ...]

    @classmethod
    def of(cls, labels: Labels, facts: Facts, index: int) -> "_Step":
        layout, asked = layout_of(facts.history), wanted(labels, facts, index)
        keys = [f"key_{n}" for n in range(len(facts.keys))]
        own = ["visible_us", *facts.clocks]
        # With one run the rows of a key stand in order, piece after piece; else event times say which is the latest.
        own += ["event_time"] * (not layout.is_one_run and "event_time" not in own)
        own += ["superseded_us"] * facts.has_superseded + ["tied_until_us"] * facts.counts_ties
        features = {layout.column_of[name]: index for name, index in brought(facts.history).items()}
        names = {name: name for name in (*keys, *own)} | features
        schema = StructType([StructField(called, layout.laid.schema[name].dataType) for name, called in names.items()])
        files = {bucket: layout.files(bucket) for bucket in layout.laid.files}
        return cls(asked, BucketFiles(files, names, to_arrow_schema(schema)), tuple(asked.fields(schema)))

    def found(self, labels: pa.Table, bucket: int, tail: Iterable[pa.Table] = ()) -> list[pa.Array]:
        return self.asked.found(labels, (piece for pieces in (self.files.pieces(bucket), tail) for piece in pieces))


def _by_bucket(
    steps: Sequence[_Step], kept: list[str], schema: pa.Schema
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def answer(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for slab in _slabs(batches):
            key = _integers_of(slab[steps[0].asked.keys[0]])
            for bucket, mine in _rows_by_bucket(slab[BUCKET].to_numpy()):
                # Labels of one key side by side look at the same facts: half the time of the search.
                labels = slab.take(pa.array(mine if key is None else mine[np.argsort(key[mine])]))
                found = [array for step in steps for array in step.found(labels, bucket)]
                yield from in_utc([*labels.select(kept).columns, *found], schema).to_batches()

    return answer


def _rows_by_bucket(here: Ints) -> Iterator[tuple[int, Ints]]:
    order = np.argsort(here, kind="stable")
    starts = runs(np.diff(here[order]) != 0)
    for first, end in pairwise(starts):
        yield int(here[order[first]]), order[first:end]


def _integers_of(key: pa.ChunkedArray) -> Ints | None:
    """None for keys of another type, whose order would cost more than it saves."""
    return np.asarray(key.fill_null(0).to_numpy()) if pt.is_integer(key.type) else None


def _with_tail(step: _Step, kept: list[str], schema: pa.Schema) -> Callable[[pa.Table, pa.Table], pa.Table]:
    def answer(labels: pa.Table, tail: pa.Table) -> pa.Table:
        bucket = labels[BUCKET][0].as_py() if labels.num_rows else NOWHERE
        named = in_utc(tail.select(step.files.schema.names).combine_chunks().columns, step.files.schema)
        found = step.found(labels, bucket, [named])
        return in_utc([*labels.select(kept).columns, *found], schema)

    return answer


def _slabs(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The batches in tables of about a million rows, none of them empty."""
    held: list[pa.RecordBatch] = []
    for batch in filter(len, batches):
        held.append(batch)
        if sum(map(len, held)) >= AT_ONCE:
            yield pa.Table.from_batches(held).combine_chunks()
            held = []
    if held:
        yield pa.Table.from_batches(held).combine_chunks()
