"""The as-of join of Arrow tables: labels on one side, on the other the facts in sorted pieces, one after another.

A piece has the columns
    key_0 …          never null; the rows of one key stand together
    visible_us       a label at t sees the fact if visible_us <= t < superseded_us; null: always
    superseded_us    null: never superseded; the column may be missing
    tied_until_us    labels before it see another fact of equal rank in S9's order; null: none; may be missing
    event_time       null: no time; may be missing
and the columns that the caller names. The rows of a key are in S9's order. Its rows in a later piece come after those
in an earlier piece, or have other event times: so the latest of all pieces is the one with the greatest event time.
Where all pieces are in order, event times may be left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from kernels.as_of.search import ALWAYS, NEVER, NONE, SortedFacts, runs
from kernels.columns import Bools, Ints

FOUND, TIED = "is_found", "is_tied"


def latest(keys: Sequence[pa.Array], label_us: Ints, pieces: Iterable[pa.Table], columns: Sequence[str]) -> pa.Table:
    """One row per label, in their order: the columns of the fact that it sees, `is_found` and `is_tied`.

    Null in all columns where it sees none. At least one piece is needed, since it has the types. Memory: two pieces,
    and the rows found so far.
    """
    filled = _filled_pieces(pieces)
    first, second = next(filled), next(filled, None)
    if second is None:
        rows = _seen(first, keys, label_us)
        return _chosen(first, rows, columns, label_us).append_column(FOUND, pa.array(rows != NONE))
    best_us = np.full(len(label_us), ALWAYS)
    index = np.full(len(label_us), NONE, np.int64)
    kept: list[pa.Table] = []
    rows_kept = 0
    for piece in chain((first, second), filled):
        rows = _seen(piece, keys, label_us)
        matched = np.flatnonzero(rows != NONE)
        event_us = _event_us(piece, rows[matched])
        is_later = event_us >= best_us[matched]
        labels, rows = matched[is_later], rows[matched][is_later]
        best_us[labels] = event_us[is_later]
        index[labels] = rows_kept + np.arange(len(labels))
        rows_kept += len(labels)
        kept.append(_chosen(piece, rows, columns, label_us[labels]))
    whole = pa.concat_tables(kept).combine_chunks()
    joined = whole.take(pa.array(index, mask=index == NONE))
    return joined.append_column(FOUND, pa.array(index != NONE))


def _filled_pieces(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The pieces that have rows; if none has any, one empty piece."""
    piece, has_rows = None, False
    for piece in pieces:
        if piece.num_rows:
            has_rows = True
            yield piece
    if not has_rows:
        yield piece


def key_numbers(keys: Sequence[pa.Array], heads: Sequence[pa.Array]) -> Ints:
    """Per key the number of the head that equals it, part by part (S17); NONE for a null, or where no head does."""
    parts = [_codes(key_part, head_part) for key_part, head_part in zip(keys, heads, strict=True)]
    key_codes, head_codes = reduce(_paired, parts)
    order = np.argsort(head_codes, kind="stable")
    ascending = head_codes[order]
    index = np.minimum(np.searchsorted(ascending, key_codes), max(len(ascending) - 1, 0))
    if not len(ascending):
        return np.full(len(key_codes), NONE, np.int64)
    has_key = reduce(np.logical_and, (part.is_valid().to_numpy(zero_copy_only=False) for part in map(_whole, keys)))
    return np.where((ascending[index] == key_codes) & has_key, order[index], NONE)


def _seen(piece: pa.Table, keys: Sequence[pa.Array], label_us: Ints) -> Ints:
    if not piece.num_rows:
        return np.full(len(label_us), NONE, np.int64)
    parts = [_whole(piece[f"key_{n}"]) for n in range(len(keys))]
    starts = runs(reduce(np.logical_or, map(_changes, parts)))
    heads = [part.take(pa.array(starts[:-1])) for part in parts]
    facts = SortedFacts(starts, _micros(piece["visible_us"]), _superseded(piece))
    return facts.seen(key_numbers(keys, heads), label_us)


def _event_us(piece: pa.Table, rows: Ints) -> Ints:
    if "event_time" not in piece.column_names:
        return np.full(len(rows), ALWAYS)
    return _micros(piece["event_time"])[rows]


def _chosen(piece: pa.Table, rows: Ints, columns: Sequence[str], label_us: Ints) -> pa.Table:
    """The columns of these rows, and TIED; null where the row is NONE."""
    is_missing = rows == NONE
    is_tied = np.zeros(len(rows), bool)
    if "tied_until_us" in piece.column_names and piece.num_rows:
        is_tied = label_us < _micros(piece["tied_until_us"])[rows]
    chosen = {name: piece[name].take(pa.array(rows, mask=is_missing)) for name in columns}
    return pa.table({**chosen, TIED: pa.array(is_tied, mask=is_missing)})


def _superseded(piece: pa.Table) -> Ints | None:
    if "superseded_us" not in piece.column_names or piece["superseded_us"].null_count == piece.num_rows:
        return None
    return _filled(_whole(piece["superseded_us"]), int(NEVER))


def _micros(column: pa.ChunkedArray) -> Ints:
    """Instants as integers; null comes before all of them."""
    return _filled(_whole(column).cast(pa.int64()), ALWAYS)


def _changes(part: pa.Array) -> Bools:
    """Whether each row but the first differs from the one before it."""
    return np.asarray(pc.not_equal(part.slice(1), part.slice(0, len(part) - 1)).to_numpy(zero_copy_only=False))


def _codes(keys: pa.Array, heads: pa.Array) -> tuple[Ints, Ints]:
    """Both as integers that are equal where the values are; a key that equals no head gets a code that no head has."""
    keys, heads = _whole(keys), _whole(heads)
    if pt.is_timestamp(heads.type):
        keys, heads = keys.cast(pa.int64()), heads.cast(pa.int64())
    if pt.is_integer(heads.type):
        return _integers(keys), _integers(heads)
    values = heads.unique()
    return tuple(_integers(pc.index_in(part.cast(values.type), value_set=values)) for part in (keys, heads))  # type: ignore[return-value]


def _integers(part: pa.Array) -> Ints:
    return _filled(part.cast(pa.int64()), NONE)


def _filled(part: pa.Array, value: int) -> Ints:
    return np.asarray((part.fill_null(value) if part.null_count else part).to_numpy(zero_copy_only=False))


def _paired(one: tuple[Ints, Ints], other: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Two parts of a key as one: small integers, so that pairs of them never overflow."""
    parts = [_dense(*one), _dense(*other)]
    width = len(parts[1][1]) + 1
    keys, heads = (first * width + second for first, second in zip(*parts, strict=True))
    is_missing = (parts[0][0] == NONE) | (parts[1][0] == NONE)
    return np.where(is_missing, NONE, keys), heads


def _dense(keys: Ints, heads: Ints) -> tuple[Ints, Ints]:
    """The same as positions among the distinct heads; NONE for a key that equals no head."""
    values, ranks = np.unique(heads, return_inverse=True)
    index = np.minimum(np.searchsorted(values, keys), max(len(values) - 1, 0))
    return np.where(values[index] == keys, index, NONE) if len(values) else np.full_like(keys, NONE), ranks


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one array, without a copy where it has one chunk."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
