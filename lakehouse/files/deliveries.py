"""Opens a delivery: Delta, parquet, CSV or JSON, as records that hold every column as it was delivered."""

from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from definitions.errors import SourceUnreadable
from lakehouse.files.file_set import file_set
from lakehouse.files.listing import DELTA_VERSION
from lakehouse.files.location import Location
from lakehouse.files.parquet import parquet_records
from lakehouse.files.records import Records, typed_records
from lakehouse.files.text_records import TextDelivery
from lakehouse.tables import read


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
    delivery = file_set(spark, source, location, scratch=scratch)
    try:
        if location.format == "parquet":
            return parquet_records(spark, source, location.path, delivery, scratch=scratch, columns=columns)
        text = TextDelivery(spark=spark, source=source, location=location, delivery=delivery, scratch=scratch)
        return (text.records(columns),)
    except AnalysisException as error:
        raise SourceUnreadable(
            f"source '{source}' at {location.path} can't be read as {location.format}: {error.getCondition() or error}."
        ) from error
