"""A spine in parquet or CSV files: read as it is, or refused with the reason."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pyarrow import fs
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.errors import (
    LabelTimeError,
    SourceError,
    SpineColumnsError,
    SpineKeyError,
    SpineMissing,
    ZigguratError,
)
from jobs.run.context import Context
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from lakehouse.files.read_errors import as_read_error
from lakehouse.files.records import PROBLEM, Records
from lakehouse.tables import filesystem, names_in

LABEL_TIME = "label_time"
_INSTANT = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)? ?(Z|[+-]\d{2}:?\d{2})$"
_INFERRED = ("boolean", "int", "bigint", "double")


def from_files(context: Context, location: Location, *, key_types: Mapping[str, str], scratch: str) -> DataFrame:
    """The files' rows. CSV cells are typed: keys by `key_types`, label times as instants, the rest as Spark infers it.

    Raises SpineMissing, SpineColumnsError, LabelTimeError, SpineKeyError. Cost: a pass over text.
    """
    if not _exists(location.path):
        raise SpineMissing(f"there is no spine at {location.path}. Give a Delta table, parquet or CSV files.")
    (records,) = _open(context, location, scratch)
    refuse_duplicates(list(records.types))
    if location.is_text:
        return _typed(context, records, location, key_types)
    if not records.frame.where(F.col(PROBLEM).isNotNull()).isEmpty():
        raise LabelTimeError(f"{location.path} has times finer than a microsecond; round them (S1).")
    return records.named()


def _exists(path: str) -> bool:
    located = filesystem(path)
    return located is None or located[0].get_file_info(located[1]).type is not fs.FileType.NotFound


def _open(context: Context, location: Location, scratch: str) -> tuple[Records, ...]:
    if location.is_text:
        refuse_duplicates(_header(location.path))  # Spark would add a number to the second name
    try:
        return open_delivery(context.spark, "spine", location, scratch=scratch)
    except SourceError as error:
        cause = error.__cause__
        if isinstance(cause, AnalysisException) and cause.getCondition() == "COLUMN_ALREADY_EXISTS":
            refuse_duplicates(2 * [(cause.getMessageParameters() or {}).get("columnName", "").strip("`")])
        why = str(cause or error).strip().splitlines()[0]
        raise SpineMissing(
            f"the spine {location.path} can't be read as {location.format} ({why}). Write it again, whole."
        ) from error


def _header(path: str) -> list[str]:
    """The names in the first line of a CSV file, or of the first one in a folder."""
    located = filesystem(path)
    if located is None:
        return []
    system, inner = located
    if system.get_file_info(inner).type is fs.FileType.Directory:
        inner = next((f"{inner}/{name}" for name in names_in(path) if name.endswith(".csv")), inner)
    with system.open_input_stream(inner) as stream, io.TextIOWrapper(stream, "utf-8-sig", errors="replace") as text:
        names = next(csv.reader(text), [])
    if not names:
        raise SpineMissing(f"the spine {path} is empty: its first line has to name the columns.")
    return names


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
        message = str(read_error).removeprefix("source 'spine': ")
        raise SpineMissing(f"the spine {message}") from error


def _typed(context: Context, text: Records, location: Location, key_types: Mapping[str, str]) -> DataFrame:
    guessed = context.spark.read.options(header="true", inferSchema="true", **location.options).csv(location.path)
    inferred = {f.name: f.dataType.simpleString() for f in guessed.schema if f.dataType.simpleString() in _INFERRED}
    kinds = inferred | dict(key_types)
    cells = {name: F.nullif(F.trim(text.column(name)), F.lit("")) for name in text.types}
    values = {name: cell.try_cast(kinds[name]) if name in kinds else cell for name, cell in cells.items()}
    if LABEL_TIME in cells:
        values[LABEL_TIME] = F.when(cells[LABEL_TIME].rlike(_INSTANT), cells[LABEL_TIME].try_cast("timestamp"))
    checked = [name for name in (*key_types, LABEL_TIME) if name in cells]
    lost = {name: F.count_if(cells[name].isNotNull() & values[name].isNull()).alias(name) for name in checked}
    with damage_as_missing(location):
        counts = text.frame.agg(F.count(PROBLEM).alias(PROBLEM), *lost.values()).first()
    _refuse_lost(location.path, counts.asDict() if counts else {}, key_types)
    return text.frame.select(*[value.alias(name) for name, value in values.items()])


def _refuse_lost(path: str, counts: Mapping[str, int], key_types: Mapping[str, str]) -> None:
    if counts.get(PROBLEM):
        raise SpineMissing(f"{path} can't be read as CSV: {counts[PROBLEM]:,} lines do not fit its header.")
    if counts.get(LABEL_TIME):
        raise LabelTimeError(
            f"{path}: {counts[LABEL_TIME]:,} label times name no instant; write them with a zone, "
            "e.g. 2017-11-27T12:00:00Z (S3)."
        )
    for key, type_ in key_types.items():
        if counts.get(key):
            raise SpineKeyError(f"{path}: {counts[key]:,} values of key '{key}' are no {type_}.")


def refuse_duplicates(names: Sequence[str]) -> None:
    """Raises SpineColumnsError for two columns of one name; as in Spark, upper and lower case are the same."""
    low = [name.lower() for name in names]
    if duplicates := sorted({name for name in names if low.count(name.lower()) > 1}):
        raise SpineColumnsError(f"the spine has two columns called '{duplicates[0]}'; rename one of them.")
