"""A spine in parquet or CSV files: read as it is, or refused with the reason."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce

from pyarrow import fs
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from compute.delivered_numbers import parse_whole
from compute.delivered_times import parse_timestamp
from compute.parsed import without_blanks
from definitions.clocks import Ambiguous
from definitions.columns import Column as DeclaredColumn
from definitions.errors import (
    LabelTimeError,
    SourceError,
    SourceSchemaError,
    SpineColumnsError,
    SpineKeyError,
    SpineMissing,
    ZigguratError,
)
from jobs.run.context import Context
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from lakehouse.files.merged import mismatch
from lakehouse.files.read_errors import as_read_error
from lakehouse.files.records import FILE, PROBLEM, Records
from lakehouse.files.text_batches import LINE
from lakehouse.tables import filesystem

LABEL_TIME = "label_time"


def from_files(context: Context, location: Location, *, key_types: Mapping[str, str], scratch: str) -> DataFrame:
    """Exactly the files' rows (S15). Of text, keys get their type of `key_types` and label times become instants; every
    other column stays the text it is.

    Raises SpineMissing, SpineColumnsError, LabelTimeError, SpineKeyError. Cost: a pass over text.
    """
    if not _exists(location.path):
        raise SpineMissing(f"there is no spine at {location.path}. Give a Delta table, parquet or CSV files.")
    delivered = _open(context, location, scratch)
    if problem := mismatch(delivered):
        raise SpineColumnsError(f"the files of a spine differ: {problem}.")
    if not all(records.types for records in delivered):
        raise SpineMissing(f"the spine {location.path} is empty: its first line has to name the columns.")
    return reduce(DataFrame.unionByName, [_rows(records, location, key_types) for records in delivered])


def _rows(records: Records, location: Location, key_types: Mapping[str, str]) -> DataFrame:
    refuse_duplicates(list(records.types))
    if records.is_text:
        return _typed(records, location, key_types)
    if not records.frame.where(F.col(PROBLEM).isNotNull()).isEmpty():
        raise LabelTimeError(f"{location.path} has times finer than a microsecond; round them (S1).")
    return records.named()


def _exists(path: str) -> bool:
    located = filesystem(path)
    return located is None or located[0].get_file_info(located[1]).type is not fs.FileType.NotFound


def _open(context: Context, location: Location, scratch: str) -> tuple[Records, ...]:
    try:
        return open_delivery(context.spark, "spine", location, scratch=scratch)
    except SourceError as error:
        cause = error.__cause__
        if isinstance(cause, AnalysisException) and cause.getCondition() == "COLUMN_ALREADY_EXISTS":
            refuse_duplicates(2 * [(cause.getMessageParameters() or {}).get("columnName", "").strip("`")])
        is_of_columns = isinstance(error, SourceSchemaError)
        if location.is_text or is_of_columns:
            kind = SpineColumnsError if is_of_columns else SpineMissing
            raise kind(f"the spine {str(error).removeprefix(_AS_SOURCE)}") from error
        why = str(cause or error).strip().splitlines()[0]
        raise SpineMissing(
            f"the spine {location.path} can't be read as {location.format} ({why}). Write it again, whole."
        ) from error


_AS_SOURCE = "source 'spine': "


@contextmanager
def damage_as_missing(location: Location | None) -> Iterator[None]:
    """For reading rows: damage that is only found while reading raises SpineMissing, too."""
    try:
        yield
    except ZigguratError:
        raise
    except Exception as error:  # recognized by its message: its class differs between Connect and py4j
        read_error = as_read_error(error, "spine", location) if location else None
        if read_error is None:
            raise
        raise SpineMissing(f"the spine {str(read_error).removeprefix(_AS_SOURCE)}") from error


def _typed(text: Records, location: Location, key_types: Mapping[str, str]) -> DataFrame:
    types = {name: "timestamp" if name == LABEL_TIME else key_types.get(name, "string") for name in text.types}
    # Text is taken byte for byte; only around numbers and times do blanks mean nothing.
    raw = {n: text.column(n) if type_ == "string" else without_blanks(text.column(n)) for n, type_ in types.items()}
    values = {name: _value(raw[name], type_) for name, type_ in types.items()}
    checked = [name for name in (LABEL_TIME, *key_types) if name in values]
    invalid = {PROBLEM: F.col(PROBLEM).isNotNull()}
    invalid |= {name: raw[name].isNotNull() & values[name].isNull() for name in checked}
    shown = {PROBLEM: F.col(PROBLEM)} | {name: raw[name] for name in checked}
    found = [
        F.struct(
            F.count_if(is_invalid).alias("rows"),
            F.min(F.when(is_invalid, F.struct(FILE, LINE, shown[name].alias("shown")))).alias("first"),
        )
        for name, is_invalid in invalid.items()
    ]
    row = text.frame.agg(F.array(*found).alias("found")).first()
    for name, counted in zip(invalid, row["found"] if row else [], strict=False):
        if counted["rows"]:
            first = counted["first"]
            where = f"{first[FILE] or location.path}, line {first[LINE] or 0:,}"
            raise _invalid(name, counted["rows"], where, first["shown"], key_types)
    return text.frame.select(*[value.alias(name) for name, value in values.items()])


def _value(raw: Column, type_: str) -> Column:
    """As a source reads a value of the type; null where it is none."""
    if type_ == "string":
        return raw
    column = DeclaredColumn("value", type_)
    if type_ in ("int", "bigint"):
        parsed = parse_whole(raw, column, "string")
    elif type_ == "timestamp":
        parsed = parse_timestamp(raw, column, "string", Ambiguous.QUARANTINE)
    else:
        return raw.try_cast(type_)
    return F.when(parsed.problem.isNull(), parsed.value)


def _invalid(name: str, rows: int, where: str, shown: str, key_types: Mapping[str, str]) -> ZigguratError:
    if name == PROBLEM:
        return SpineMissing(
            f"the spine can't be read whole: {rows:,} records can't be used, first {where}: {shown}. Correct the file; "
            "a spine keeps all of its rows (S15)."
        )
    if name == LABEL_TIME:
        return LabelTimeError(
            f"{where}: {rows:,} label times name no instant, first '{shown}'; write them with a zone, "
            "e.g. 2017-11-27T12:00:00Z (S3)."
        )
    return SpineKeyError(f"{where}: {rows:,} values of key '{name}' are no {key_types[name]}, first '{shown}'.")


def refuse_duplicates(names: Sequence[str]) -> None:
    """Raises SpineColumnsError for two columns of one name; as in Spark, upper and lower case are the same."""
    low = [name.lower() for name in names]
    if duplicates := sorted({name for name in names if low.count(name.lower()) > 1}):
        raise SpineColumnsError(f"the spine has two columns called '{duplicates[0]}'; rename one of them.")
