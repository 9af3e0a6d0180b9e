"""Times in parquet's old INT96: a day and the nanoseconds of it, of any year, are copied as they are or kept apart."""

import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from lakehouse.files.parquet_copy import has_odd_int96, write_copy
from lakehouse.files.parquet_footers import INT96

DISK, DAY_US, EPOCH_DAY = fs.LocalFileSystem(), 86_400_000_000, 2_440_588  # the Julian day of 1970-01-01
FAR_US = 2**62


def written(folder: Path, day: int, nanos: int) -> str:
    """One time, of any Julian day: pyarrow writes one of our years, and the day is put in its place."""
    path = folder / "old.parquet"
    table = pa.table({"at": pa.array([DAY_US * 1000 + nanos], pa.timestamp("ns"))})
    pq.write_table(
        table, path, use_deprecated_int96_timestamps=True, use_dictionary=False, compression="none",
        write_statistics=False,
    )  # fmt: skip
    before, after = (nanos.to_bytes(8, "little") + struct.pack("<i", each) for each in (EPOCH_DAY + 1, day))
    assert path.read_bytes().count(before) == 1
    path.write_bytes(path.read_bytes().replace(before, after))
    return str(path)


@pytest.mark.parametrize(
    ("day", "nanos", "micros", "rest"),
    [
        (EPOCH_DAY, 5_000, 5, 0),
        (EPOCH_DAY, 5_001, 5, 1),
        (EPOCH_DAY - 1, 86_399_999_999_000, -1, 0),
        (EPOCH_DAY - 1, 86_399_999_999_999, -1, 999),
        (2_305_448, 7_000, (2_305_448 - EPOCH_DAY) * DAY_US + 7, 0),  # 1600: nanoseconds wrap
        (5_373_484, 7_001, (5_373_484 - EPOCH_DAY) * DAY_US + 7, 1),  # 9999
        (2_137_497_411, 5_000, FAR_US, 0),  # its microseconds wrap to 2016
        (2**31 - 1, 5_000, FAR_US, 0),
        (55_816_574, 5_000, (55_816_574 - EPOCH_DAY) * DAY_US + 5, 0),  # the last day that is copied as it is
        (55_816_584, 5_000, FAR_US, 0),
    ],
)
def test_a_time_of_any_year_is_copied_as_it_is_or_far_away(
    tmp_path: Path, day: int, nanos: int, micros: int, rest: int
) -> None:
    path = written(tmp_path, day, nanos)
    copy = str(tmp_path / "copy.parquet")
    write_copy(DISK, path, {"at": INT96}, DISK, copy, named="old.parquet")
    copied = pq.read_table(copy)
    assert (copied["c0"].cast(pa.int64())[0].as_py(), copied["c0_ns"][0].as_py()) == (micros, rest)
    assert has_odd_int96(DISK, path, ["at"]) == (micros == FAR_US or rest > 0)
