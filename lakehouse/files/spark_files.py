"""Files on file systems that only Spark knows (abfss, gs, hdfs, …): listed by Spark, and copied by its tasks.

A copy lies where pyarrow can read it, so that one reader and one set of rules serve all file systems.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from definitions.errors import SourceUnreadable
from lakehouse.files.listing import DataFile, files_here
from lakehouse.tables import current_version, filesystem, known_filesystem

# A task holds a whole file several times, in the JVM and in Python: four tasks at once fit a heap of 3 GB.
MOST_BYTES = 128 << 20
_TASKS = 4
_COPIED = "path string, name string"
_BEFORE_PATH = re.compile(r"^[a-z][a-z0-9+.-]*:(//[^/]*)?")
# The last of `java.lang.RuntimeException: java.lang.ClassNotFoundException: Class … not found`.
_CAUSE = re.compile(r"(?:[\w$.]+: )*?[\w$.]*?(\w+(?:Exception|Error)): (?!\S+(?:Exception|Error): )([^\n]+)")
_GLOB = str.maketrans({mark: f"\\{mark}" for mark in "{}[]*?\\"})


@dataclass(frozen=True)
class CopyTask:
    """Writes the content of each file that it gets into a folder, and gives its path with the name of the copy."""

    folder: str

    def __call__(self, files: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        system, inner = known_filesystem(self.folder)
        for batch in files:
            paths = batch.column(0).to_pylist()
            names = [_copy_name(path) for path in paths]
            for name, content in zip(names, batch.column(1), strict=True):
                with system.open_output_stream(f"{inner}/{name}", compression=None) as stream:
                    stream.write(content.as_buffer())
            yield pa.record_batch([pa.array(paths), pa.array(names)], ["path", "name"])


def found_files(spark: SparkSession, path: str) -> tuple[DataFile, ...]:
    """All files below a path, on any file system that Spark knows; none where nothing lies there.

    Cost: a listing; where pyarrow does not know the file system, a job that reads no content. Raises SourceUnreadable.
    """
    if filesystem(path) is not None:
        return files_here(path)
    try:
        # Twice: of one folder alone, Spark believes what a stream has noted in `_spark_metadata`.
        with_content = _contents(spark, [path, path])
        rows = with_content.select("path", "length", F.unix_micros("modificationTime").alias("us")).collect()
        sizes = {row["path"]: (row["length"], row["us"] * 1000) for row in rows}
        # Spark passes over empty files when it reads.
        names = {unquote(name) for name in with_content.inputFiles()} | sizes.keys()
    except (PySparkException, Py4JError) as error:
        if isinstance(error, AnalysisException) and error.getCondition() == "PATH_NOT_FOUND":
            return ()
        raise _unreadable(path, error) from error
    return tuple(_data_file(name, path, *sizes.get(name, (0, 0))) for name in names)


def delta_version(spark: SparkSession, path: str) -> int | None:
    """The newest version of the Delta table at a path, None where there is none. Raises SourceUnreadable."""
    try:
        return current_version(spark, path)
    except (PySparkException, Py4JError) as error:
        raise _unreadable(path, error) from error


def copied_files(spark: SparkSession, source: str, files: Sequence[DataFile], *, folder: str) -> tuple[DataFile, ...]:
    """The same files, by the paths of their copies in the folder. One job.

    Raises SourceUnreadable, also for a large file.
    """
    if large := next((file for file in files if file.size > MOST_BYTES), None):
        raise SourceUnreadable(
            f"source '{source}': {large.shown} has {large.size:,} bytes; on a file system that only Spark knows, files "
            f"of up to {MOST_BYTES:,} bytes are read. Split it, compress it, or deliver it to a disk or to S3."
        )
    system, inner = known_filesystem(folder)
    system.create_dir(inner)
    names = _copied_by_spark(spark, [file for file in files if file.size], folder=folder)
    for file in files:
        if not file.size:
            names[file.path] = name = _copy_name(file.path)
            system.open_output_stream(f"{inner}/{name}", compression=None).close()
    if gone := next((file for file in files if file.path not in names), None):
        raise SourceUnreadable(
            f"source '{source}': {gone.shown} was changed while it was read. Run again; nothing was written."
        )
    return tuple(replace(file, path=f"{inner}/{names[file.path]}") for file in files)


def _copied_by_spark(spark: SparkSession, files: Sequence[DataFile], *, folder: str) -> dict[str, str]:
    """The name of each file's copy, by its path."""
    if not files:
        return {}
    contents = _contents(spark, [file.path for file in files]).select("path", "content")
    try:
        rows = contents.coalesce(_TASKS).mapInArrow(CopyTask(folder), _COPIED).collect()
    except (PySparkException, Py4JError) as error:
        raise _unreadable(files[0].path, error) from error
    return {row["path"]: row["name"] for row in rows}


def _copy_name(path: str) -> str:
    """A name of its own for each attempt; by the end of a name its compression is known."""
    return f"{uuid.uuid4().hex}{PurePosixPath(path).suffix}"


def _contents(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    return reader.load([path.translate(_GLOB) for path in paths])


def _data_file(name: str, path: str, size: int, modified_ns: int) -> DataFile:
    """Spark may name a file by another scheme or host than the path that it was given."""
    below, root = (_BEFORE_PATH.sub("", text) for text in (name, path.rstrip("/")))
    relative = below.removeprefix(root).lstrip("/")
    return DataFile(name, f"{path.rstrip('/')}/{relative}" if relative else path, relative, size, modified_ns)


def spark_reason(error: Exception) -> str:
    """The class and message of the last cause that Spark names, on one line."""
    causes = _CAUSE.search(str(error))
    words = f"{causes[1]}: {causes[2]}" if causes else str(error).splitlines()[0]
    return words.rstrip(". ")


def _unreadable(path: str, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(
        f"{path} can't be read by Spark ({spark_reason(error)}). Correct the path, or give Spark the file system of "
        "its scheme and the right to read there; nothing was written."
    )
