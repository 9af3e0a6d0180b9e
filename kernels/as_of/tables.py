"""The as-of join of Arrow tables: labels on one side, on the other the facts in sorted pieces, one after another.

A piece has the columns
    key_0 …          never null; the rows of one key stand together
    visible_us       a label at t sees the fact while visible_us <= t < superseded_us; null: always
    superseded_us    null: for good; the column may be missing
    tied_until_us    as long a label sees another fact with the same place in S9's order; null: none; may be missing
    event_time       null: no time; may be missing
and whatever else is asked for. Inside a key rows stand in S9's order, and a key's rows in a later piece follow those in
an earlier one, or have other event times: so the latest of all pieces is the one with the greatest event time. Where
all follow each other, event times may be left out.
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
    """One row per label, in their order: of the fact that it sees these columns, whether there is one, and `is_tied`.

    Null in all columns where there is none. At least one piece has to come, if only to say the types. Memory: two
    pieces, and the rows found so far.
    """
    filled = _filled_pieces(pieces)
    first, second = next(filled), next(filled, None)
    if second is None:
        rows = _seen(first, keys, label_us)
        return _chosen(first, rows, columns, label_us).append_column(FOUND, pa.array(rows != NONE))
    best_us = np.full(len(label_us), ALWAYS)
    index = np.full(len(label_us), NONE, np.int64)
    found: list[pa.Table] = []
    taken = 0
    for piece in chain((first, second), filled):
        rows = _seen(piece, keys, label_us)
        hits = np.flatnonzero(rows != NONE)
        event_us = _event_us(piece, rows[hits])
        is_later = event_us >= best_us[hits]
        wins, rows = hits[is_later], rows[hits][is_later]
        best_us[wins] = event_us[is_later]
        index[wins] = taken + np.arange(len(wins))
        taken += len(wins)
        found.append(_chosen(piece, rows, columns, label_us[wins]))
    whole = pa.concat_tables(found).combine_chunks()
    answer = whole.take(pa.array(index, mask=index == NONE))
    return answer.append_column(FOUND, pa.array(index != NONE))


def _filled_pieces(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Those that have rows; if none has any, one of them all the same."""
    piece, has_rows = None, False
    for piece in pieces:
        if piece.num_rows:
            has_rows = True
            yield piece
    if not has_rows:
        yield piece


def key_numbers(asked: Sequence[pa.Array], heads: Sequence[pa.Array]) -> Ints:
    """For each asked key which of the heads equals it, part by part (S17); NONE for a null or one that isn't there."""
    parts = [_codes(mine, theirs) for mine, theirs in zip(asked, heads, strict=True)]
    mine, theirs = reduce(_paired, parts)
    order = np.argsort(theirs, kind="stable")
    ascending = theirs[order]
    index = np.minimum(np.searchsorted(ascending, mine), max(len(ascending) - 1, 0))
    if not len(ascending):
        return np.full(len(mine), NONE, np.int64)
    known = reduce(np.logical_and, (part.is_valid().to_numpy(zero_copy_only=False) for part in map(_one, asked)))
    return np.where((ascending[index] == mine) & known, order[index], NONE)


def _seen(piece: pa.Table, keys: Sequence[pa.Array], label_us: Ints) -> Ints:
    if not piece.num_rows:
        return np.full(len(label_us), NONE, np.int64)
    own = [_one(piece[f"key_{n}"]) for n in range(len(keys))]
    starts = runs(reduce(np.logical_or, map(_changes, own)))
    heads = [part.take(pa.array(starts[:-1])) for part in own]
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
    return _filled(_one(piece["superseded_us"]), int(NEVER))


def _micros(column: pa.ChunkedArray) -> Ints:
    """Instants as integers; null comes before all of them."""
    return _filled(_one(column).cast(pa.int64()), ALWAYS)


def _changes(part: pa.Array) -> Bools:
    """Whether each row but the first differs from the one before it."""
    return np.asarray(pc.not_equal(part.slice(1), part.slice(0, len(part) - 1)).to_numpy(zero_copy_only=False))


def _codes(asked: pa.Array, heads: pa.Array) -> tuple[Ints, Ints]:
    """Both as integers that are equal where the values are; an asked value that no head has gets one of its own."""
    asked, heads = _one(asked), _one(heads)
    if pt.is_timestamp(heads.type):
        asked, heads = asked.cast(pa.int64()), heads.cast(pa.int64())
    if pt.is_integer(heads.type):
        return _integers(asked), _integers(heads)
    values = heads.unique()
    return tuple(_integers(pc.index_in(part.cast(values.type), value_set=values)) for part in (asked, heads))  # type: ignore[return-value]


def _integers(part: pa.Array) -> Ints:
    return _filled(part.cast(pa.int64()), NONE)


def _filled(part: pa.Array, value: int) -> Ints:
    return np.asarray((part.fill_null(value) if part.null_count else part).to_numpy(zero_copy_only=False))


def _paired(one: tuple[Ints, Ints], other: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Two parts of a key as one: small integers, so that pairs of them never overflow."""
    parts = [_dense(*one), _dense(*other)]
    width = len(parts[1][1]) + 1
    mine, theirs = (first * width + second for first, second in zip(*parts, strict=True))
    missing = (parts[0][0] == NONE) | (parts[1][0] == NONE)
    return np.where(missing, NONE, mine), theirs


def _dense(mine: Ints, theirs: Ints) -> tuple[Ints, Ints]:
    """The same as positions among the distinct heads; NONE for what none of them has."""
    values, ranks = np.unique(theirs, return_inverse=True)
    index = np.minimum(np.searchsorted(values, mine), max(len(values) - 1, 0))
    return np.where(values[index] == mine, index, NONE) if len(values) else np.full_like(mine, NONE), ranks


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Without a copy where it is one already."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
