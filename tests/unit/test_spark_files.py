"""Files on file systems that only Spark knows: what a task copies, and what is said of Spark's errors."""

from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.files.spark_files import CopyTask, spark_reason


def test_each_attempt_of_a_task_copies_the_bytes_to_names_of_its_own(tmp_path: Path) -> None:
    contents = {"abfss://in@store/a b.csv.gz": b"\x1f\x8b\x00\xff", "abfss://in@store/x=1/part-0": b"id\n1\n"}
    files = pa.record_batch([pa.array(contents.keys()), pa.array(contents.values(), pa.binary())], ["path", "content"])
    task = CopyTask(str(tmp_path))
    attempts = [{row["path"]: row["name"] for row in next(task([files])).to_pylist()} for _ in range(2)]
    assert len(list(tmp_path.iterdir())) == 4
    for names in attempts:
        assert {path: (tmp_path / name).read_bytes() for path, name in names.items()} == contents
        assert [Path(name).suffix for name in names.values()] == [".gz", ""]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "An error occurred while calling o129.load.\n: java.lang.RuntimeException: java.lang."
            "ClassNotFoundException: Class org.apache.Azure not found\n\tat org.apache.hadoop",
            "ClassNotFoundException: Class org.apache.Azure not found",
        ),
        ("java.net.UnknownHostException: nowhere", "UnknownHostException: nowhere"),
        ("[PATH_NOT_FOUND] Path does not exist: x.\nSQLSTATE", "[PATH_NOT_FOUND] Path does not exist: x"),
    ],
)
def test_the_last_cause_is_named_on_one_line(words: str, reason: str) -> None:
    assert spark_reason(RuntimeError(words)) == reason
