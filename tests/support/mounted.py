"""A folder on a file system that only Spark knows: Hadoop's `viewfs`, whose mount table is in the session's conf."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def mounted(spark: Any, folder: Path) -> Iterator[str]:
    """The folder under the address that Spark finds it by."""
    cluster = uuid.uuid4().hex  # Hadoop keeps what it has read of a mount table
    name = f"fs.viewfs.mounttable.{cluster}.link./in"
    spark.conf.set(name, folder.as_uri())
    try:
        yield f"viewfs://{cluster}/in"
    finally:
        spark.conf.unset(name)
