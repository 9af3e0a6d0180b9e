"""A spine in parquet, CSV or JSON files: read as it is, or refused with the reason."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce

from pyarrow import fs
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.errors import (
    LabelTimeError,
    SourceError,
    SourceMissing,
    SourceSchemaError,
    SpineColumnsError,
    SpineMissing,
    ZigguratError,
)
from jobs.run.context import Context
from jobs.spines.types import SpineTypes, typed_text
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.location import Location
from lakehouse.files.merged import mismatch
from lakehouse.files.read_errors import as_read_error
from lakehouse.files.records import FILE, PROBLEM, Records, internal_name, quoted
from lakehouse.tables import filesystem


def from_files(context: Context, location: Location, *, types: SpineTypes, scratch: str) -> DataFrame:
    """Exactly the files' rows (S15); text is read by the types.

    Raises SpineMissing, SpineColumnsError, LabelTimeError, SpineKeyError. Cost: a pass over text.
    """
    if not _exists(location.path):
        raise _missing(location)
    delivered = _open(context, location, scratch)
    if problem := mismatch(delivered):
        raise SpineColumnsError(f"the files of a spine differ: {problem}.")
    if not all(records.types for records in delivered):
        raise SpineMissing(f"the spine {location.path} is empty: its first line has to name the columns.")
    with damage_as_missing(location):
        return reduce(DataFrame.unionByName, [_rows(records, location, types) for records in delivered])


def _rows(records: Records, location: Location, types: SpineTypes) -> DataFrame:
    refuse_duplicates(list(records.types))
    if records.is_text:
        return typed_text(records, types)
    if not records.frame.where(F.col(PROBLEM).isNotNull()).isEmpty():
        raise LabelTimeError(f"{location.path} has times finer than a microsecond; round them (S1).")
    text = {
        internal_name(index): name for index, (name, type_) in enumerate(records.types.items()) if type_ == "string"
    }
    refuse_invalid_text(records.frame, text, where=F.coalesce(FILE, F.lit(location.path)))
    return records.named()


def _exists(path: str) -> bool:
    located = filesystem(path)
    return located is None or located[0].get_file_info(located[1]).type is not fs.FileType.NotFound


def _missing(location: Location) -> SpineMissing:
    return SpineMissing(f"there is no spine at {location.path}. Give a Delta table, or parquet, CSV or JSON files.")


def _open(context: Context, location: Location, scratch: str) -> tuple[Records, ...]:
    try:
        return open_delivery(context.spark, "spine", location, scratch=scratch)
    except SourceMissing:
        raise _missing(location) from None
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


def refuse_invalid_text(rows: DataFrame, names: Mapping[str, str], *, where: Column) -> None:
    """Raises SpineColumnsError for text whose bytes are not UTF-8. Cost: a pass over the columns of text.

    names: what users call each column of `rows` that is text. where: the file or table of each row.
    """
    if not names:
        return
    first = [
        F.min(F.when(~F.is_valid_utf8(F.col(quoted(name))), F.struct(where, F.hex(quoted(name))))) for name in names
    ]
    row = rows.agg(F.array(*first).alias("first")).first()
    for name, found in zip(names.values(), row["first"] if row else [], strict=False):
        if found is not None:
            raise SpineColumnsError(
                f"{found[0]}: column '{name}' has text that is not UTF-8, first the bytes 0x{found[1][:80]}. Write it "
                "again as UTF-8, or as bytes."
            )


def text_columns(rows: DataFrame) -> dict[str, str]:
    return {name: name for name, type_ in rows.dtypes if type_ == "string"}


def refuse_duplicates(names: Sequence[str]) -> None:
    """Raises SpineColumnsError for two columns of one name; as in Spark, upper and lower case are the same."""
    low = [name.lower() for name in names]
    if duplicates := sorted({name for name in names if low.count(name.lower()) > 1}):
        raise SpineColumnsError(f"the spine has two columns called '{duplicates[0]}'; rename one of them.")
