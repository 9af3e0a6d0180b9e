"""The data files of a delivery, where pyarrow reads them: as they lie, or copies."""

from dataclasses import dataclass

from pyarrow import fs
from pyspark.sql import SparkSession

from lakehouse.files.listing import DataFile, data_files
from lakehouse.files.location import Location
from lakehouse.files.spark_files import copied_files, found_files
from lakehouse.tables import filesystem, known_filesystem


@dataclass(frozen=True)
class FileSet:
    """Files on one file system. folder: a path on it, by which tasks know it.

    is_all: below the location lie no other files that Spark would read, given the folder.
    """

    files: tuple[DataFile, ...]
    system: fs.FileSystem
    folder: str
    is_all: bool


def file_set(spark: SparkSession, source: str, location: Location, *, scratch: str) -> FileSet:
    """scratch: where files are copied to from a file system that only Spark knows.

    Raises SourceMissing and SourceUnreadable.
    """
    found = found_files(spark, location.path)
    files = data_files(source, location, files_of=lambda _: found)
    is_all = len(files) == sum(file.path.rpartition("/")[2][0] not in "._" for file in found)
    located, folder = filesystem(location.path), location.path
    if located is None:
        located, folder = known_filesystem(scratch), f"{scratch}/delivered"
        files = copied_files(spark, source, files, folder=folder)
    return FileSet(files, located[0], folder, is_all)
