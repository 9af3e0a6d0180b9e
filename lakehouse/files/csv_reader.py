"""Records of a CSV file, by the names of its header: every record is counted, as one to use or with its problem."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from lakehouse.files.csv_blocks import Block, BrokenRecord, Dialect, csv_blocks, take_header
from lakehouse.files.text_batches import good_batch, problem_batch
from lakehouse.files.text_stream import Unreadable, is_valid, not_encoded, readable

TOO_MANY, TOO_FEW = "it has more fields than its header", "it has fewer fields than its header"
HEADER_AGAIN = "it is the header again"


@dataclass(frozen=True, kw_only=True)
class CsvFormat:
    """How the files are written. encoding: empty for UTF-8, or what a byte order mark says."""

    dialect: Dialect = field(default_factory=Dialect)
    encoding: str = ""
    has_header: bool = True
    empty_is_null: bool = True


@dataclass(frozen=True)
class Header:
    """The names of a file's columns; raw: the record they stand in, empty where the file has no header."""

    names: tuple[str, ...]
    raw: bytes = b""


def csv_header(chunks: Iterator[bytes], format_: CsvFormat) -> Header | None:
    """The names in the first record; None for an empty file. Raises Unreadable."""
    return _open(chunks, format_)[0]


def csv_batches(chunks: Iterator[bytes], format_: CsvFormat, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """All records, with these columns; one that the header does not have is null. chunks: UTF-8. Raises Unreadable.

    Cost: one pass; memory for a few blocks, or for the longest record.
    """
    header, line, rest = _open(chunks, format_)
    if header is None:
        return
    for block in csv_blocks(rest, format_.dialect, line=line):
        yield from _batches(_without_invalid_text(block, format_), header, format_, columns)


def _open(chunks: Iterator[bytes], format_: CsvFormat) -> tuple[Header | None, int, Iterator[bytes]]:
    raw, line, rest = take_header(chunks, format_.dialect)
    if not raw:
        return None, line, rest
    if not is_valid(raw):
        shown = readable(raw, format_.encoding)[:100]
        raise Unreadable(f"has a header that can't be read, {shown!r}: {not_encoded(format_.encoding)}")
    names = format_.dialect.fields(raw)
    if format_.has_header:
        return Header(tuple(names), raw), line, rest
    return Header(tuple(f"_c{index}" for index in range(len(names)))), 1, _with_first(raw + b"\n", rest)


def _with_first(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _without_invalid_text(block: Block, format_: CsvFormat) -> Block:
    """Records with bytes that are not valid in the encoding become broken ones."""
    if is_valid(block.text):
        return block
    raw, why = block.raw.to_pylist(), not_encoded(format_.encoding)
    is_good = np.array([is_valid(record) for record in raw], bool)
    broken = [BrokenRecord(raw[n], int(block.lines[n]), why) for n in np.flatnonzero(~is_good)]
    good = [raw[n] for n in np.flatnonzero(is_good)]
    text = b"".join(record + b"\n" for record in good)
    return Block(text, pa.array(good, pa.large_binary()), block.lines[is_good], [*block.broken, *broken])


def _batches(block: Block, header: Header, format_: CsvFormat, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    values, problems = _parsed(block, header, format_, columns)
    if header.raw:
        problems |= dict.fromkeys(_headers_again(block.raw, header, format_.dialect), HEADER_AGAIN)
    is_good = np.ones(len(block.raw), bool)
    is_good[list(problems)] = False
    if is_good.any():
        raw = block.raw.filter(pa.array(is_good)).cast(pa.large_string()).cast(pa.string())
        yield good_batch([value.filter(pa.array(is_good)) for value in values], raw, pa.array(block.lines[is_good]))
    broken = [
        *block.broken,
        *(BrokenRecord(block.raw[n].as_py(), int(block.lines[n]), problem) for n, problem in problems.items()),
    ]
    if broken:
        yield problem_batch(
            len(columns),
            [b.problem for b in broken],
            [readable(b.raw, format_.encoding) for b in broken],
            [b.line for b in broken],
        )


def _headers_again(raw: pa.Array, header: Header, dialect: Dialect) -> list[int]:
    """Records with the names of the header, whatever quotes or byte order mark they have: files were joined."""
    first = header.names[0].partition(dialect.quote)[0] if dialect.quote else header.names[0]
    begins = [f"{mark}{quote}{first}".encode() for mark in ("", "\ufeff") for quote in ("", dialect.quote)]
    may_be = pc.and_(
        reduce(pc.or_, [pc.starts_with(raw, begin) for begin in begins]),
        pc.less_equal(pc.binary_length(raw), len(header.raw) + 2 * len(header.names) + len(codecs.BOM_UTF8)),
    )
    found = np.flatnonzero(may_be.to_numpy(zero_copy_only=False)).tolist()
    return [n for n in found if _names(raw[n].as_py(), dialect) == header.names]


def _names(raw: bytes, dialect: Dialect) -> tuple[str, ...]:
    return tuple(dialect.fields(raw.removeprefix(codecs.BOM_UTF8)))


def _parsed(
    block: Block, header: Header, format_: CsvFormat, columns: Sequence[str]
) -> tuple[list[pa.Array], dict[int, str]]:
    """The columns of all records, null in those with a wrong number of fields; and what is wrong with these."""
    problems: dict[int, str] = {}
    count = len(block.raw)
    if not count:
        return [pa.nulls(0, pa.string())] * len(columns), problems

    def wrong_number(row: csv.InvalidRow) -> str:
        problems[row.number - 1] = TOO_MANY if row.actual_columns > row.expected_columns else TOO_FEW
        return "skip"

    found = [str(header.names.index(name)) for name in columns if name in header.names]
    table = csv.read_csv(
        pa.BufferReader(block.text),
        read_options=csv.ReadOptions(
            use_threads=False, block_size=len(block.text) + 1, column_names=list(map(str, range(len(header.names))))
        ),
        parse_options=csv.ParseOptions(
            delimiter=format_.dialect.separator,
            quote_char=format_.dialect.quote or False,
            newlines_in_values=True,
            invalid_row_handler=wrong_number,
        ),
        convert_options=csv.ConvertOptions(
            include_columns=found or ["0"],
            column_types=dict.fromkeys(found or ["0"], pa.string()),
            null_values=[""],
            strings_can_be_null=format_.empty_is_null,
        ),
    )
    if table.num_rows + len(problems) != count:
        raise RuntimeError(f"{count} records were found, {table.num_rows} and {len(problems)} were read")
    parsed = [table[name].combine_chunks() for name in found]
    if problems:
        rows = np.full(count, -1)
        rows[[n for n in range(count) if n not in problems]] = np.arange(table.num_rows)
        taken = pa.array(rows, mask=rows < 0)
        parsed = [column.take(taken) for column in parsed]
    by_name = dict(zip([name for name in columns if name in header.names], parsed, strict=True))
    return [by_name.get(name, pa.nulls(count, pa.string())) for name in columns], problems
