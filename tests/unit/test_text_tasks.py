"""A task that reads a file writes what this process reads of it; what it can't read comes back as a sentence."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from definitions.errors import SourceError
from lakehouse.files.listing import data_files
from lakehouse.files.location import Location
from lakehouse.files.text_file import TextFile, file_batches, file_schema, text_format
from lakehouse.files.text_stream import Unreadable
from lakehouse.files.text_tasks import FileTask
from tests.spec.delivered.case import Case
from tests.spec.delivered.cases import CASES

TEXT = [case for case in CASES if case.format != "parquet"]


@pytest.mark.parametrize("case", TEXT, ids=lambda case: case.says)
def test_tasks_read_what_this_process_reads(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    location = Location(str(tmp_path / "in" / case.path), case.format, case.options)
    try:
        files = tuple(map(TextFile.of, data_files("things", location)))
    except SourceError:
        assert case.refused
        return
    columns, format_ = case.source.delivered_names, text_format(location)
    (tmp_path / "out").mkdir()
    task = FileTask(files, format_, columns, location.path, str(tmp_path / "out"))
    (results,) = task([pa.record_batch([pa.array(range(len(files)))], ["id"])])
    for file, result in zip(files, results.to_pylist(), strict=True):
        seen: set[str] = set()
        batches = file_batches(fs.LocalFileSystem(), file, format_, columns, seen=seen)
        if result["problem"]:
            with pytest.raises(Unreadable) as told:
                list(batches)
            assert str(told.value) == result["problem"]
            continue
        here = pa.Table.from_batches(batches, file_schema(len(columns)))
        there = pq.read_table(tmp_path / "out" / result["part"]) if result["part"] else here
        assert there.to_pylist() == here.to_pylist()
        assert result["rows"] == here.num_rows
