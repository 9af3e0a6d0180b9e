"""Opens a delivery: Delta, parquet, CSV or JSON, as records that hold every column as it was delivered."""

from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from definitions.errors import SourceUnreadable
from lakehouse.files.listing import DELTA_VERSION
from lakehouse.files.location import Location
from lakehouse.files.parquet import parquet_records
from lakehouse.files.parquet_scan import literal_path
from lakehouse.files.records import FILE, ORIGINAL, PROBLEM, Records, internal_name, quoted, typed_records
from lakehouse.files.text_records import TextDelivery
from lakehouse.tables import filesystem, read

_CORRUPT = "_corrupt"


def open_delivery(
    spark: SparkSession,
    source: str,
    location: Location,
    *,
    scratch: str,
    delivered: str = "",
    columns: Sequence[str] | None = None,
) -> tuple[Records, ...]:
    """The delivered records, one `Records` for each group of files of one schema.

    columns: the delivered names that are needed; None: all. delivered: the fingerprint that was taken; of a Delta table
    that version is read. scratch: a folder for copies, to be removed by the caller once all rows are read. Raises
    SourceMissing, SourceSchemaError and SourceUnreadable.
    """
    if location.format == "delta":
        version = int(delivered.removeprefix(DELTA_VERSION)) if delivered else None
        return (typed_records(read(spark, location.path, version=version), location.path),)
    try:
        if location.format == "parquet":
            return parquet_records(spark, source, location, scratch=scratch, columns=columns)
        if (located := filesystem(location.path)) is None:
            return (_read_by_spark(spark, location),)
        text = TextDelivery(spark=spark, source=source, location=location, system=located[0], scratch=scratch)
        return (text.records(columns),)
    except AnalysisException as error:
        raise SourceUnreadable(
            f"source '{source}' at {location.path} can't be read as {location.format}: {error.getCondition() or error}."
        ) from error


def _read_by_spark(spark: SparkSession, location: Location) -> Records:
    """Text on a file system that pyarrow does not know: every column as text, by Spark's rules of CSV and JSON."""
    options = (
        {"header": "true", **location.options}
        if location.format == "csv"
        else {"primitivesAsString": "true", **location.options}
    )
    found = spark.read.format(location.format).options(**options).load(location.path).columns
    names = [name for name in found if name != "_corrupt_record"]
    schema = T.StructType([T.StructField(name, T.StringType()) for name in [*names, _CORRUPT]])
    options |= {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT}
    if location.format == "csv":
        options["enforceSchema"] = "false"  # files whose header differs are refused, not read by position
    delivered = spark.read.format(location.format).options(**options).schema(schema).load(location.path)
    frame = delivered.select(
        *[F.col(quoted(name)).alias(internal_name(index)) for index, name in enumerate(names)],
        F.when(F.col(_CORRUPT).isNotNull(), F.lit("the row does not parse")).alias(PROBLEM),
        F.to_json(F.struct(*map(quoted, [*names, _CORRUPT])), {"ignoreNullFields": "false"}).alias(ORIGINAL),
        literal_path(F.col("_metadata.file_path")).alias(FILE),
    )
    return Records(frame=frame, types=dict.fromkeys(names, "string"), path=location.path, is_text=True)
