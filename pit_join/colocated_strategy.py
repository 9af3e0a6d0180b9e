"""The search in a history's layout: only the spine is shuffled, and each worker reads the files of its bucket itself.

Facts that are not in the layout yet, the tail, are shuffled to the same worker. Memory of a worker: a million spine
rows, and a million facts of a file, or of two files.
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
from pit_join.buckets import BUCKET, BucketedSpine, BucketSearch, in_utc, sorted_facts
from pit_join.facts import AT_LABEL, SearchableFacts, feature_fields, searchable_facts
from pit_join.history import History
from pit_join.keyed_spine import KeyedSpine
from pit_join.layout import Layout

FACTS_A_TASK = 2_500_000
NO_BUCKET = -1  # without spine rows there is nothing to read


def search(spine: KeyedSpine, facts: Mapping[int, SearchableFacts]) -> DataFrame:
    """The `Search` of this strategy: one shuffle of the spine for all histories with the same keys and buckets."""
    for indexes in _passes(facts):
        spine = _matched(spine, {index: facts[index] for index in indexes})
    return spine.frame


def _passes(facts: Mapping[int, SearchableFacts]) -> list[list[int]]:
    """The histories that one pass can search together. A history with a tail has a pass of its own."""
    passes: dict[object, list[int]] = {}
    for index, history_facts in facts.items():
        layout = layout_of(history_facts.history)
        alone = index if layout.tail is not None else None
        passes.setdefault((history_facts.keys, layout.buckets, alone), []).append(index)
    return list(passes.values())


def _matched(spine: KeyedSpine, facts: Mapping[int, SearchableFacts]) -> KeyedSpine:
    """The spine with one more match per history of this pass."""
    first = next(iter(facts.values()))
    layout, rows = layout_of(first.history), sum(layout_of(one.history).rows for one in facts.values())
    searches = [_LayoutSearch.of(spine, history_facts, index) for index, history_facts in facts.items()]
    bucketed = BucketedSpine.of(spine, first, layout.buckets)
    schema = bucketed.schema([field for search in searches for field in search.fields])
    arrow_schema = to_arrow_schema(schema)
    if layout.tail is None:
        spread = _spread(bucketed.frame, tasks_for(bucketed.frame, rows, layout.buckets))
        joined = spread.mapInArrow(_by_bucket(searches, bucketed.names, arrow_schema), schema)
    else:
        history = replace(first.history, frame=layout.tail, layout=None)
        tail = searchable_facts(history, keys=first.keys, knowledge=AT_LABEL, has_evidence=first.has_evidence)
        sorted_tail = sorted_facts(tail, buckets=layout.buckets, partitions=layout.buckets)
        grouped = bucketed.frame.repartition(layout.buckets, BUCKET).groupBy(BUCKET)
        together = grouped.cogroup(sorted_tail.groupBy(BUCKET))
        joined = together.applyInArrow(_with_tail(searches[0], bucketed.names, arrow_schema), schema)
    return bucketed.with_matches(joined, [search.bucket_search for search in searches])


def tasks_for(frame: DataFrame, rows: int, buckets: int) -> int:
    """How many tasks read the buckets: starting one costs an eighth of a second on most Sparks, so that each should
    read millions of facts.

    More of them where the session is configured for large shuffles, since spine rows are many then, too.
    """
    configured = int(frame.sparkSession.conf.get("spark.sql.shuffle.partitions") or buckets)
    return min(buckets, max(2, -(-rows // FACTS_A_TASK), configured // 4))


def _spread(frame: DataFrame, tasks: int) -> DataFrame:
    """The same number of buckets for each task; before Spark 4.1 the buckets' hashes decide."""
    if hasattr(frame, "repartitionById"):
        return frame.repartitionById(tasks, BUCKET)
    return frame.repartition(tasks, BUCKET)


def layout_of(history: History) -> Layout:
    if history.layout is None:
        raise ValueError(f"{history.where} has no layout")  # `strategies.choose` chooses colocated only with a layout
    return history.layout


@dataclass(frozen=True)
class _LayoutSearch:
    """The search for one history's facts in its layout, a bucket at a time. `fields`: the columns of the match."""

    bucket_search: BucketSearch
    files: BucketFiles
    fields: tuple[StructField, ...]

    @classmethod
    def of(cls, spine: KeyedSpine, facts: SearchableFacts, index: int) -> "_LayoutSearch":
        layout, bucket_search = layout_of(facts.history), BucketSearch.of(spine, facts, index)
        keys = [f"key_{n}" for n in range(len(facts.keys))]
        own = ["visible_us", *facts.clocks]
        # With one run the rows of a key stand in order, piece after piece; else event times say which is the latest.
        own += ["event_time"] * (not layout.is_one_run and "event_time" not in own)
        own += ["superseded_us"] * facts.has_superseded + ["tied_until_us"] * facts.counts_ties
        features = {layout.column_of[name]: field for name, field in feature_fields(facts.history).items()}
        names = {name: name for name in (*keys, *own)} | features
        types = layout.laid.schema
        schema = StructType([StructField(renamed, types[name].dataType) for name, renamed in names.items()])
        files = {bucket: layout.files(bucket) for bucket in layout.laid.files}
        return cls(
            bucket_search, BucketFiles(files, names, to_arrow_schema(schema)), tuple(bucket_search.fields(schema))
        )

    def run(self, spine_rows: pa.Table, bucket: int, tail: Iterable[pa.Table] = ()) -> list[pa.Array]:
        """The columns of the fact that each of these spine rows, all of one bucket, sees."""
        pieces = (piece for source in (self.files.pieces(bucket), tail) for piece in source)
        return self.bucket_search.run(spine_rows, pieces)


def _by_bucket(
    searches: Sequence[_LayoutSearch], kept: list[str], schema: pa.Schema
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def join_buckets(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for slab in _slabs(batches):
            key = _integers_of(slab[searches[0].bucket_search.keys[0]])
            for bucket, indexes in _rows_by_bucket(slab[BUCKET].to_numpy()):
                # Sorted by key, rows of one key look at the same facts: half the time of the search.
                by_key = indexes if key is None else indexes[np.argsort(key[indexes])]
                spine_rows = slab.take(pa.array(by_key))
                matches = [array for search in searches for array in search.run(spine_rows, bucket)]
                yield from in_utc([*spine_rows.select(kept).columns, *matches], schema).to_batches()

    return join_buckets


def _rows_by_bucket(buckets: Ints) -> Iterator[tuple[int, Ints]]:
    """Each bucket with the indexes of its rows."""
    order = np.argsort(buckets, kind="stable")
    starts = runs(np.diff(buckets[order]) != 0)
    for first, end in pairwise(starts):
        yield int(buckets[order[first]]), order[first:end]


def _integers_of(key: pa.ChunkedArray) -> Ints | None:
    """None for keys of another type: sorting those would cost more than it saves."""
    return np.asarray(key.fill_null(0).to_numpy()) if pt.is_integer(key.type) else None


def _with_tail(search: _LayoutSearch, kept: list[str], schema: pa.Schema) -> Callable[[pa.Table, pa.Table], pa.Table]:
    def join_bucket(spine_rows: pa.Table, tail: pa.Table) -> pa.Table:
        bucket = spine_rows[BUCKET][0].as_py() if spine_rows.num_rows else NO_BUCKET
        piece = in_utc(tail.select(search.files.schema.names).combine_chunks().columns, search.files.schema)
        matches = search.run(spine_rows, bucket, [piece])
        return in_utc([*spine_rows.select(kept).columns, *matches], schema)

    return join_bucket


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
