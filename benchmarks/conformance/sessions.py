"""The one Spark session of the engines that run on Spark."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from benchmarks.conformance.questions import Question
from lakehouse.session.start import SessionSettings, open_session
from tests.support.drawn import ddl, kinds

ZONE = "spark.sql.session.timeZone"


def opened(scratch: Path) -> SparkSession:
    extra = {"spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(), "spark.sql.adaptive.enabled": "false"}
    return open_session(
        SessionSettings("conformance", "local[2]", "2g", shuffle_partitions=2, local_dir=scratch / "local", extra=extra)
    )


@contextmanager
def session_in(spark: SparkSession, zone: str) -> Iterator[None]:
    spark.conf.set(ZONE, zone)
    try:
        yield
    finally:
        spark.conf.set(ZONE, "UTC")


def framed(spark: SparkSession, drawn: pa.Table, text: str, question: Question) -> DataFrame:
    """Some drawn columns, with the types that their header names; keys have the facts' names for them."""
    called = dict(zip(question.rule.spine_columns, question.keys, strict=False))
    types = {called.get(name, name): kind for name, kind in kinds(text).items()}
    return spark.createDataFrame(drawn, ddl({name: types[name] for name in drawn.column_names}))
