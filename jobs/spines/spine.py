"""A spine in any of its forms: a file, a table, a label's derived spine, a Spark or pandas frame; typed and checked."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from definitions.errors import LabelTimeError, SourceError, SpineColumnsError, SpineMissing, UsageError, did_you_mean
from jobs.run.context import Context
from jobs.spines.files import damage_as_missing, from_files, refuse_duplicates, refuse_invalid_text, text_columns
from jobs.spines.types import LABEL_TIME, SpineTypes
from lakehouse.files.listing import format_of, visible_names
from lakehouse.files.location import Location
from lakehouse.files.spark_files import delta_version, found_files
from lakehouse.tables import current_version, exists, filesystem, read

__all__ = ["LABEL_TIME", "Spine", "newest_label_us", "open_spine", "parsed_keys"]

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Spine:
    """Rows to be joined. origin: the source in words, with the version of a table; location: that of files."""

    frame: DataFrame
    origin: str
    location: Location | None = None

    @contextmanager
    def read(self) -> Iterator[None]:
        """For the first reading of all rows: a file that proves to be damaged raises SpineMissing."""
        with damage_as_missing(self.location):
            yield


def open_spine(context: Context, source: "str | DataFrame | pd.DataFrame", *, types: SpineTypes, scratch: str) -> Spine:
    """Any of the forms that a spine can have, as a frame; text files are read by the types.

    source: a label whose spine was derived; the path of a Delta table, or of parquet, CSV or JSON files; a table of the
    catalog; a Spark or pandas frame. Raises SpineMissing, SpineKeyError, LabelTimeError, SpineColumnsError, all before
    any join.
    """
    spine = _opened(context, source, types=types, scratch=scratch)
    types.refuse_others(spine.frame)
    return spine


def _opened(context: Context, source: "str | DataFrame | pd.DataFrame", *, types: SpineTypes, scratch: str) -> Spine:
    if isinstance(source, DataFrame):
        return Spine(source, "a Spark DataFrame")
    if not isinstance(source, str):
        return Spine(_from_pandas(context, source), "a pandas DataFrame")
    # Relative paths start at the folder of this process; the JVM may have been started in another one.
    path = str(Path(source).absolute()) if Path(source).exists() else source
    table = context.warehouse.spine(source).path if re.fullmatch(r"\w+", source) else ""
    if table and exists(context.spark, table):
        return _delta(context, table, f"label {source}")
    if _is_table(context, path):
        spine = _delta(context, path, source)
        refuse_invalid_text(spine.frame, text_columns(spine.frame), where=F.lit(source))
        return spine
    if kind := _file_format(context, path):
        location = Location(path, kind)
        frame = from_files(context, location, types=types, scratch=scratch)
        return Spine(frame, source, location)
    return _from_catalog(context, source)


def newest_label_us(spine: DataFrame) -> int | None:
    """The newest label time of a spine, in µs; None where no row has one. Cost: a pass over that column."""
    newest: int | None = spine.agg(F.max(F.unix_micros(LABEL_TIME)).alias("us")).collect()[0]["us"]
    return newest


def _is_table(context: Context, path: str) -> bool:
    try:
        return delta_version(context.spark, path) is not None
    except SourceError as error:
        raise SpineMissing(f"the spine {error}") from error


def _delta(context: Context, path: str, origin: str) -> Spine:
    version = current_version(context.spark, path)
    return Spine(read(context.spark, path, version=version), f"{origin}, version {version}")


def _file_format(context: Context, path: str) -> str:
    """The format, by the name of the file or by those in the folder; empty where there is none."""
    if Path(path).is_file() or format_of(path):
        names = [path]
    elif filesystem(path) is None:
        names = [file.relative for file in found_files(context.spark, path)]
    else:
        names = visible_names(path)
    found = {format_of(name) for name in names}
    return next((format_ for format_ in ("parquet", "csv", "json") if format_ in found), "")


def _from_catalog(context: Context, name: str) -> Spine:
    labels = [label.name for label in context.registry.labels]
    if name in labels:
        raise SpineMissing(f"the spine of label '{name}' is not derived yet. Derive it: ziggurat labels {name}")
    if Path(name).exists():
        raise SpineMissing(
            f"there is no spine at {name}: it holds no Delta table, and no file ends in .parquet, .csv or .json."
        )
    try:
        frame = context.spark.table(name)
        _ = frame.schema
    except AnalysisException:
        raise SpineMissing(
            f"there is no spine '{name}': no file, Delta table, table of the catalog or label is called so."
            f"{did_you_mean(name, labels)}"
        ) from None
    refuse_invalid_text(frame, text_columns(frame), where=F.lit(f"table {name}"))
    return Spine(frame, f"table {name}")


def _from_pandas(context: Context, spine: "pd.DataFrame") -> DataFrame:
    refuse_duplicates([str(name) for name in spine.columns])
    if spine.empty and not len(spine.columns):
        raise SpineColumnsError("the spine has no columns; give it join keys and label_time.")
    try:
        table = pa.Table.from_pandas(spine, preserve_index=False)
    except (pa.ArrowException, TypeError, UnicodeEncodeError) as error:
        why = ". ".join(str(part).splitlines()[0].rstrip(".") for part in _parts(error))
        raise SpineColumnsError(f"the spine can't be read: {why}.") from None
    _refuse_naive(table.schema)
    try:
        for index, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type) and field.type.unit != "us":
                whole = table[field.name].cast(pa.timestamp("us", tz=field.type.tz))
                table = table.set_column(index, field.name, whole)
    except pa.ArrowInvalid as error:
        raise LabelTimeError(
            f"the spine can't be read: {str(error).splitlines()[0]}. Times must be whole microseconds (S1)."
        ) from None
    return context.spark.createDataFrame(table)


def _parts(error: Exception) -> tuple[object, ...]:
    """What an error says; those of Arrow say what, and then where."""
    return error.args[:2] if isinstance(error, pa.ArrowException) else (error,)


def _refuse_naive(schema: pa.Schema) -> None:
    """Raises LabelTimeError for label times without a zone: Spark would read them as UTC."""
    if LABEL_TIME not in schema.names:
        return
    kind = schema.field(LABEL_TIME).type
    if pa.types.is_timestamp(kind) and kind.tz is None:
        raise LabelTimeError(
            f"the spine's {LABEL_TIME} has no zone, so it names no instant: give it the one that it was read in, e.g. "
            f"spine.{LABEL_TIME}.dt.tz_localize('America/New_York') (S3)."
        )


def parsed_keys(words: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """`household_id=customer`: the service's key, then the spine's column. Raises UsageError."""
    columns: dict[str, str] = {}
    for word in words:
        key, equals, column = word.partition("=")
        if not equals or not column:
            raise UsageError(f"--key {word} maps nothing; write --key household_id=customer.")
        if key not in known:
            raise UsageError(f"--key {word}: the service has no join key '{key}'.{did_you_mean(key, known)}")
        columns[key] = column
    return columns
