"""One text file, read wherever it is: in this process or in a task."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
from pyarrow import fs

from lakehouse.files.csv_blocks import Dialect
from lakehouse.files.csv_header import header_problem
from lakehouse.files.csv_reader import CsvFormat, csv_batches, csv_header
from lakehouse.files.folders import folder_columns, folder_problem, in_both
from lakehouse.files.json_reader import JsonFormat, json_batches, json_keys
from lakehouse.files.listing import DataFile
from lakehouse.files.location import EMPTY, ENCODING, HEADER, NULL, QUOTE, SEPARATOR, TRUE, Location, one_character
from lakehouse.files.records import FILE
from lakehouse.files.text_batches import batch_schema
from lakehouse.files.text_stream import WrongColumns, file_chunks, text_chunks, utf8_chunks, with_encoding

TextFormat = CsvFormat | JsonFormat
_FIRST_BYTES = 64 << 10


@dataclass(frozen=True)
class TextFile:
    """A file with the columns that stand in the names of its folders. path and shown: as in `DataFile`."""

    path: str
    shown: str
    size: int
    relative: str
    folders: Mapping[str, str | None] = field(hash=False)

    @classmethod
    def of(cls, file: DataFile) -> "TextFile":
        return cls(file.path, file.shown, file.size, file.relative, folder_columns(file.relative))


def text_format(location: Location) -> TextFormat:
    encoding, empty_is_null = location.option(ENCODING), location.option(EMPTY, NULL) == NULL
    if location.format == "json":
        return JsonFormat(encoding=encoding, empty_is_null=empty_is_null)
    dialect = Dialect(
        separator=one_character(location.option(SEPARATOR, ",")), quote=one_character(location.option(QUOTE, '"'))
    )
    has_header = location.option(HEADER, TRUE) == TRUE
    return CsvFormat(dialect=dialect, encoding=encoding, has_header=has_header, empty_is_null=empty_is_null)


def columns_of(
    system: fs.FileSystem, file: TextFile, format_: TextFormat, wanted: Collection[str] | None
) -> list[str] | None:
    """The names of a file's columns: of its header or of all its keys, then of its folders; None for an empty file.

    Raises Unreadable, also for a header that can't be read by its names.
    """
    if isinstance(format_, CsvFormat):
        chunks = utf8_chunks(file_chunks(system, file.path, size=_FIRST_BYTES), format_.encoding)
        header = csv_header(chunks, format_)
        if header is None:
            return None
        if problem := header_problem(header.names, format_.dialect.separator, wanted):
            raise WrongColumns(f"can't be read: its header {problem}")
        names = list(header.names)
    else:
        names = json_keys(text_chunks(file_chunks(system, file.path), format_.encoding))
    if both := next((name for name in names if name in file.folders and (wanted is None or name in wanted)), None):
        raise WrongColumns(in_both(both))
    return [*names, *file.folders]


def file_schema(columns: int) -> pa.Schema:
    return batch_schema(columns).append(pa.field(FILE, pa.string()))


def file_batches(
    system: fs.FileSystem, file: TextFile, format_: TextFormat, columns: Sequence[str], *, seen: set[str]
) -> Iterator[pa.RecordBatch]:
    """The records of a file with these columns, those in the names of its folders too. seen: gets the columns found.

    Raises Unreadable.
    """
    if problem := folder_problem(file.relative, columns):
        raise WrongColumns(problem)
    inside = [name for name in columns if name not in file.folders]
    content, encoding = with_encoding(file_chunks(system, file.path), format_.encoding)
    format_ = replace(format_, encoding=encoding)
    if isinstance(format_, CsvFormat):
        batches = csv_batches(utf8_chunks(content, format_.encoding), format_, inside)
    else:
        outside = frozenset(columns).intersection(file.folders)
        batches = json_batches(text_chunks(content, format_.encoding), format_, inside, seen=seen, outside=outside)
    for batch in batches:
        rows = batch.num_rows
        read = dict(zip(inside, batch.columns, strict=False))
        values = [read[name] if name in read else _constant(file.folders[name], rows, format_) for name in columns]
        arrays = [*values, *batch.columns[len(inside) :], _constant(file.shown, rows, format_)]
        yield pa.record_batch(arrays, file_schema(len(columns)))
    seen.update(file.folders)


def _constant(text: str | None, rows: int, format_: TextFormat) -> pa.Array:
    value = None if text == "" and format_.empty_is_null else text
    return pa.repeat(pa.scalar(value, pa.string()), rows)
