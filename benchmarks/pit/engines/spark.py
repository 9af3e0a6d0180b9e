"""The session that every engine on Spark gets: Ziggurat's own, with the machine's cores and 8 GB of heap."""

from pathlib import Path

from pyspark.sql import SparkSession

from lakehouse.session.start import SessionSettings, open_session

DRIVER_MEMORY = "8g"


def opened(scratch: Path, shuffle_partitions: int) -> SparkSession:
    return open_session(
        SessionSettings(
            "bench-pit", driver_memory=DRIVER_MEMORY, shuffle_partitions=shuffle_partitions, local_dir=scratch / "spark"
        )
    )
