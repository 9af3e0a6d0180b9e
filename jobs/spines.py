"""A spine as it comes: a file, a table, a derived label's spine, or a Spark or pandas frame; typed and checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from features.errors import (
    LabelTimeError,
    SourceError,
    SpineColumnsError,
    SpineKeyError,
    SpineMissing,
    UsageError,
    did_you_mean,
)
from jobs.context import Place
from lakehouse.deliveries import CORRUPT, FILE, NANOS_LOST, Location, open_delivery
from lakehouse.tables import current_version, exists, names_in, read

if TYPE_CHECKING:
    import pandas as pd

LABEL_TIME = "label_time"
_INSTANT = r"^\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)? ?(Z|[+-]\d{2}:?\d{2})$"
_INFERRED = ("boolean", "int", "bigint", "double")
_OURS = (CORRUPT, FILE, NANOS_LOST)


@dataclass(frozen=True)
class Spine:
    """Rows to be joined; `origin` says where from, with the version of a table."""

    frame: DataFrame
    origin: str


def open_spine(
    place: Place, source: "str | DataFrame | pd.DataFrame", *, key_types: Mapping[str, str], scratch: str
) -> Spine:
    """Any of the forms that a spine can have, as a frame; text files are typed by `key_types` (spine column: type).

    source: a label whose spine was derived; the path of a Delta table, parquet or CSV files; a table of the catalog; a
    Spark or pandas frame. Raises SpineMissing, SpineKeyError, LabelTimeError, SpineColumnsError, all before any join.
    """
    if isinstance(source, DataFrame):
        return Spine(source, "a Spark DataFrame")
    if not isinstance(source, str):
        return Spine(_from_pandas(place, source), "a pandas DataFrame")
    table = place.warehouse.spine(source).path if re.fullmatch(r"\w+", source) else ""
    if table and exists(place.spark, table):
        return _delta(place, table, f"label {source}")
    if exists(place.spark, source):
        return _delta(place, source, source)
    if (kind := _file_format(source)) is not None:
        return Spine(_from_files(place, Location(source, kind), key_types, scratch), source)
    return _from_catalog(place, source)


def _delta(place: Place, path: str, told: str) -> Spine:
    version = current_version(place.spark, path)
    return Spine(read(place.spark, path, version=version), f"{told}, version {version}")


def _file_format(path: str) -> str | None:
    """By the name of the file, or of the first file in the folder; None where nothing lies."""
    names = names_in(path) if not Path(path).is_file() and not path.endswith((".parquet", ".csv")) else [path]
    shown = [name for name in names if name[0] not in "_."]
    return next((kind for kind in ("parquet", "csv") for name in shown if name.endswith(f".{kind}")), None)


def _from_catalog(place: Place, name: str) -> Spine:
    labels = [label.name for label in place.registry.labels]
    if name in labels:
        raise SpineMissing(f"the spine of label '{name}' is not derived yet. Derive it: ziggurat labels {name}")
    try:
        frame = place.spark.table(name)
        _ = frame.schema
    except AnalysisException:
        raise SpineMissing(
            f"there is no spine '{name}': no file, Delta table, table of the catalog or label is called so."
            f"{did_you_mean(name, labels)}"
        ) from None
    return Spine(frame, f"table {name}")


def _from_files(place: Place, location: Location, key_types: Mapping[str, str], scratch: str) -> DataFrame:
    if not names_in(location.path) and not Path(location.path).is_file():
        raise SpineMissing(f"there is no spine at {location.path}. Give a Delta table, parquet or CSV files.")
    frame = _opened(place, location, scratch)
    refuse_twice(frame.columns)
    if NANOS_LOST in frame.columns and not frame.where(NANOS_LOST).isEmpty():
        raise LabelTimeError(f"{location.path} has times finer than a microsecond; round them (S1).")
    frame = frame.drop(FILE, NANOS_LOST)
    return _typed(place, frame, location, key_types) if location.is_text else frame


def _opened(place: Place, location: Location, scratch: str) -> DataFrame:
    try:
        return open_delivery(place.spark, "spine", location, scratch=scratch)
    except SourceError as error:
        why = str(error.__cause__ or error).strip().splitlines()[0]
        raise SpineMissing(
            f"the spine {location.path} can't be read as {location.format} ({why}). Write it again, whole."
        ) from error


def _typed(place: Place, text: DataFrame, location: Location, key_types: Mapping[str, str]) -> DataFrame:
    """CSV cells as values: keys by their declared types, label times with a zone, the rest as Spark infers it."""
    guessed = place.spark.read.options(header="true", inferSchema="true", **location.options).csv(location.path)
    inferred = {f.name: f.dataType.simpleString() for f in guessed.schema if f.dataType.simpleString() in _INFERRED}
    kinds = inferred | dict(key_types)
    cells: dict[str, Column] = {name: F.nullif(F.trim(name), F.lit("")) for name in text.columns if name != CORRUPT}
    values = {name: cell.try_cast(kinds[name]) if name in kinds else cell for name, cell in cells.items()}
    if LABEL_TIME in cells:
        values[LABEL_TIME] = F.when(cells[LABEL_TIME].rlike(_INSTANT), cells[LABEL_TIME].try_cast("timestamp"))
    checked = [name for name in (*key_types, LABEL_TIME) if name in cells]
    lost = {name: F.count_if(cells[name].isNotNull() & values[name].isNull()).alias(name) for name in checked}
    counts = text.agg(F.count(CORRUPT).alias(CORRUPT), *lost.values()).first()
    _refuse_lost(location.path, counts.asDict() if counts else {}, key_types)
    return text.select(*[value.alias(name) for name, value in values.items()])


def _refuse_lost(path: str, counts: Mapping[str, int], key_types: Mapping[str, str]) -> None:
    if counts.get(CORRUPT):
        raise SpineMissing(f"{path} can't be read as CSV: {counts[CORRUPT]:,} lines do not fit its header.")
    if counts.get(LABEL_TIME):
        raise LabelTimeError(
            f"{path}: {counts[LABEL_TIME]:,} label times name no instant; write them with a zone, "
            "e.g. 2017-11-27T12:00:00Z (S3)."
        )
    for key, type_ in key_types.items():
        if counts.get(key):
            raise SpineKeyError(f"{path}: {counts[key]:,} values of key '{key}' are no {type_}.")


def _from_pandas(place: Place, spine: "pd.DataFrame") -> DataFrame:
    refuse_twice([str(name) for name in spine.columns])
    if spine.empty and not len(spine.columns):
        raise SpineColumnsError("the spine has no columns; give it join keys and label_time.")
    try:
        table = pa.Table.from_pandas(spine, preserve_index=False)
        for place_, field in enumerate(table.schema):
            if pa.types.is_timestamp(field.type) and field.type.unit != "us":
                whole = table[field.name].cast(pa.timestamp("us", tz=field.type.tz))
                table = table.set_column(place_, field.name, whole)
    except pa.ArrowInvalid as error:
        raise LabelTimeError(
            f"the spine can't be read: {str(error).splitlines()[0]}. Times must be whole microseconds (S1)."
        ) from None
    except (pa.ArrowTypeError, TypeError) as error:
        raise SpineColumnsError(f"the spine can't be read: {str(error).splitlines()[0]}.") from None
    return place.spark.createDataFrame(table)


def refuse_twice(names: Sequence[str]) -> None:
    """Spark tells columns apart without regard to case."""
    low = [name.lower() for name in names]
    if twice := sorted({name for name in names if low.count(name.lower()) > 1}):
        raise SpineColumnsError(f"the spine has two columns called '{twice[0]}'; rename one of them.")


def parsed_keys(words: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """`household_id=customer`: the service's key, then what the spine calls it."""
    found: dict[str, str] = {}
    for word in words:
        key, equals, column = word.partition("=")
        if not equals or not column:
            raise UsageError(f"--key {word} maps nothing; write --key household_id=customer.")
        if key not in known:
            raise UsageError(f"--key {word}: the service has no join key '{key}'.{did_you_mean(key, known)}")
        found[key] = column
    return found
