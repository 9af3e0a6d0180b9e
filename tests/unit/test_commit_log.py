"""What a table's log says of its commits is read from its files, or left to Spark; it never fails."""

from pathlib import Path

import pytest
from pyarrow import fs

from lakehouse.commit_log import commits_in
from lakehouse.reader import DeltaReader, NeedsSpark

WRITE = '{"commitInfo":{"operation":"WRITE","operationMetrics":{"numOutputRows":"3"},"userMetadata":"a note"}}\n'


def commits(folder: Path, text: str) -> list[tuple[int, str, str | None, int | None]] | None:
    (folder / f"{0:020d}.json").write_text(text, "utf-8")
    found = commits_in(fs.LocalFileSystem(), str(folder), [0])
    return found and [(commit.version, commit.operation, commit.user_metadata, commit.rows) for commit in found]


def test_a_commit_is_read_whatever_stands_before_it(tmp_path: Path) -> None:
    assert commits(tmp_path, WRITE) == [(0, "WRITE", "a note", 3)]
    assert commits(tmp_path, '{"add":{"path":"line\u2028end"}}\n' + WRITE) == [(0, "WRITE", "a note", 3)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        '{"add":{}}\n',
        '{"commitInfo":{"timestamp":1}}\n',
        '{"commitInfo":{"operation":"WRITE","operationMetrics":null}}\n',
        '{"commitInfo":{"operation":"WRITE","operationMetrics":{"numOutputRows":null}}}\n',
        '{"commitInfo":{"operation":"WRI',
        WRITE.replace('"operation"', '"inCommitTimestamp":1,"operation"'),
    ],
)
def test_what_others_wrote_otherwise_is_left_to_spark(tmp_path: Path, text: str) -> None:
    assert commits(tmp_path, text) is None


def test_a_version_whose_file_is_gone_is_left_to_spark(tmp_path: Path) -> None:
    assert commits_in(fs.LocalFileSystem(), str(tmp_path), [4]) is None


@pytest.mark.parametrize("name", ["a%20b", "a\\b"])
def test_a_path_that_would_be_decoded_is_left_to_spark(tmp_path: Path, name: str) -> None:
    (tmp_path / name / "_delta_log").mkdir(parents=True)
    with pytest.raises(NeedsSpark):
        DeltaReader().rows(str(tmp_path / name))
