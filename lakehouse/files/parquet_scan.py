"""Groups of parquet files as records: one scan of Spark each, by an explicit schema."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from lakehouse.files.file_set import FileSet
from lakehouse.files.folders import NULL_FOLDER, named_folders
from lakehouse.files.parquet_copy import FILE as COPIED_FILE
from lakehouse.files.parquet_copy import copied_name, write_copy
from lakehouse.files.parquet_footers import INT96, LOCAL_NANOSECONDS, NANOSECONDS, NULLS, damage_named
from lakehouse.files.parquet_groups import Group, is_read, meant, stored
from lakehouse.files.records import (
    FILE,
    FOLDER_TEXT,
    LOCAL_TIME,
    ORIGINAL,
    PROBLEM,
    Records,
    as_json,
    as_readable,
    internal_name,
    quoted,
)
from lakehouse.tables import known_filesystem

# The calendar that the format prescribes. Spark knows by their footers the files of its old versions that differ.
OPTIONS = {"datetimeRebaseMode": "CORRECTED", "int96RebaseMode": "CORRECTED"}
_FINER = "a time is finer than a microsecond"
_MOST_PATHS = 32  # with more, Spark lists them in tasks: then it gets the folder
_ODD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_GLOB = str.maketrans({mark: f"\\{mark}" for mark in "{}[]*?\\"})


@dataclass(frozen=True)
class _Value:
    """A column as it is read, and for a time the nanoseconds that are left of it: they have to be none."""

    value: Column
    rest: Column | None = None


class ParquetScan:
    """The groups of one delivery at a path, as records. scratch: the folder for copies."""

    def __init__(self, spark: SparkSession, source: str, path: str, delivery: FileSet, scratch: str) -> None:
        self.spark, self.source, self.path = spark, source, path
        self.delivery, self.scratch = delivery, scratch

    def records(self, group: Group, index: int, *, is_alone: bool) -> Records:
        """is_alone: the group has all files of the delivery."""
        read = {name: type_ for name, type_ in group.columns.items() if is_read(type_)}
        if group.is_copied and not group.is_empty:
            return self._copied(group, read, f"{self.scratch}/{index}")
        schema = _schema({name: stored(type_) for name, type_ in read.items()})
        values = {name: _value(F.col(quoted(name)), type_) for name, type_ in read.items()}
        if group.is_empty:
            return _as_records(self.spark.createDataFrame([], schema), group, values, F.lit(group.path))
        reader = self.spark.read.schema(schema).options(**OPTIONS)
        if is_alone and len(group.footers) > _MOST_PATHS and self.delivery.is_all:
            reader, paths = reader.option("recursiveFileLookup", "true"), [self.path]
        else:
            paths = [footer.file.shown for footer in group.footers]
        frame = reader.parquet(*[path.translate(_GLOB) for path in paths])
        return _as_records(frame, group, values, literal_path(F.col("_metadata.file_path")))

    def _copied(self, group: Group, read: Mapping[str, str], folder: str) -> Records:
        target, inner = known_filesystem(folder)
        target.create_dir(inner)
        for number, footer in enumerate(group.footers):
            types = {name: footer.types.get(name, NULLS) for name in read}
            copy = f"{inner}/{number:05d}.parquet"
            with damage_named(self.source, footer.file):
                write_copy(self.delivery.system, footer.file.path, types, target, copy, named=footer.file.shown)
        kept = {copied_name(index): stored(type_) for index, type_ in enumerate(read.values())}
        rests = {copied_name(index, rest=True): "int" for index, type_ in enumerate(read.values()) if type_ == INT96}
        schema = _schema({**kept, **rests, COPIED_FILE: "string"})
        frame = self.spark.read.schema(schema).options(**OPTIONS).parquet(folder.translate(_GLOB))
        values = {name: _value(F.col(copied_name(index)), read[name]) for index, name in enumerate(read)}
        values |= {
            name: _Value(F.col(copied_name(index)), F.col(copied_name(index, rest=True)))
            for index, name in enumerate(read)
            if read[name] == INT96
        }
        return _as_records(frame, group, values, F.col(COPIED_FILE))


def literal_path(uri: Column) -> Column:
    """The path that Spark's URI of a file stands for: nothing percent-encoded, local ones without a scheme."""
    return F.regexp_replace(F.url_decode(F.replace(uri, F.lit("+"), F.lit("%2B"))), "^file:/+", "/")


def _value(column: Column, type_: str) -> _Value:
    """Nanoseconds, which are read as their number, become microseconds and what is left."""
    if type_ not in (NANOSECONDS, LOCAL_NANOSECONDS):
        return _Value(column)
    rest = F.pmod(column, F.lit(1000))
    # Toward zero, so one less before 1970; no subtraction, since the first nanoseconds of all have none below them.
    whole = F.call_function("div", column, F.lit(1000)) - ((rest != 0) & (column < 0)).cast("int")
    return _Value(F.timestamp_micros(whole).cast(meant(type_)), rest)


def _as_records(frame: DataFrame, group: Group, read: Mapping[str, _Value], file: Column) -> Records:
    types = {name: meant(type_) for name, type_ in group.columns.items()}
    nothing = F.lit(None).cast("string")
    in_folders = {name: _folder_value(file, name, group) for name, type_ in types.items() if type_ == FOLDER_TEXT}
    values = {name: part.value for name, part in read.items()} | in_folders
    finer = [
        F.when(part.rest != 0, F.lit(_FINER))
        for name, part in read.items()
        if name in group.needed and part.rest is not None
    ]
    texts = {name: _to_the_nanosecond(part, types[name]) for name, part in read.items()} | in_folders
    original = [texts.get(name, nothing).alias(name) for name in types]
    rows = frame.select(
        *[values.get(name, nothing).alias(internal_name(index)) for index, name in enumerate(types)],
        F.coalesce(nothing, *finer).alias(PROBLEM),
        as_json(original).alias(ORIGINAL),
        file.alias(FILE),
    )
    return Records(frame=rows, types=types, path=group.path, is_text=False)


def _folder_value(path: Column, name: str, group: Group) -> Column:
    """The text of a column in the folder names of literal paths; empty text is null, as in text files (D55).

    A name may be written in several ways, encoded or not. A value that is not encoded well is decoded as text is.
    """
    folders = (folder for footer in group.footers for folder in named_folders(footer.file.relative))
    parts = {(written, text) for written, text in folders if unquote(written) == name}
    # Greedy: the last folder of that name, as in `folder_columns`.
    found = [
        F.nullif(F.regexp_extract(path, rf"(?s)^.*/\Q{written}\E=([^/]*)/", 1), F.lit(""))
        for written in sorted({written for written, _ in parts})
    ]
    value = F.coalesce(*found)
    decoded = F.coalesce(F.try_url_decode(F.replace(value, F.lit("+"), F.lit("%2B"))), value)
    for odd in sorted({text for _, text in parts if _ODD_PERCENT.search(text)}):
        decoded = F.when(value == F.lit(odd), F.lit(unquote(odd))).otherwise(decoded)
    return F.when(value != NULL_FOLDER, decoded)


def _to_the_nanosecond(part: _Value, type_: str) -> Column:
    if part.rest is None:
        return as_readable(part.value, type_)
    zone = F.lit("Z" if type_ == "timestamp" else "")
    digits = F.when(part.rest != 0, F.lpad(part.rest.cast("string"), 3, "0")).otherwise(F.lit(""))
    return F.concat(F.date_format(part.value, LOCAL_TIME), digits, zone)


def _schema(types: Mapping[str, str]) -> T.StructType:
    # Parsed column by column: a name is never part of the text that is parsed.
    return T.StructType([T.StructField(name, T.DataType.fromDDL(type_)) for name, type_ in types.items()])
