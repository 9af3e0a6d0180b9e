"""Errors of Spark that come from a damaged table, recognised by their words; all others stay what they are."""

import pytest

from definitions.errors import UsageError
from lakehouse.damage import as_damage

PARQUET = "/w h/raw/rides/v1/event_date=2024-05-01/part-00000-a.c000.snappy.parquet"
URL = "file://" + PARQUET.replace(" ", "%20")


# What Delta calls the damages of a log.
LOG_ERRORS = (
    "VERSIONS_NOT_CONTIGUOUS",
    "STATE_RECOVER_ERROR",
    "LOG_FILE_NOT_FOUND",
    "MISSING_PART_FILES",
    "TXN_LOG_FAILED_INTEGRITY",
    "UNRECOGNIZED_FILE_ACTION",
    "MISSING_COMMIT_INFO",
)
READING, LOG = f"Encountered error while reading file {URL}.", "its log (_delta_log) is damaged or incomplete."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (f"[FAILED_READ_FILE.NO_HINT] {READING} SQLSTATE: KD001", f"{PARQUET} can't be read: it is damaged."),
        (f"[FAILED_READ_FILE.FILE_NOT_EXIST] {READING}", f"{PARQUET} can't be read: it is not there."),
        (f"[FAILED_READ_FILE.NO_HINT] {READING} \nCaused by: Permission denied", f"This user may not read {PARQUET}."),
        ("fs.ChecksumException: Checksum error: file:/w/a.parquet at 0", "/w/a.parquet can't be read: it is damaged."),
        ("[DELTA_TRUNCATED_TRANSACTION_LOG] file:/w/runs/_delta_log/0.json: Unable", f"/w/runs can't be read: {LOG}"),
        ("Checksum error: file:/w/runs/_delta_log/3.json at 0 exp: 1", f"/w/runs can't be read: {LOG}"),
        ("com.fasterxml.jackson.core.JsonParseException: Unexpected", f"A table can't be read: {LOG}"),
        (
            f"java.lang.RuntimeException: {URL} is not a Parquet file. Expected magic number",
            f"{PARQUET} can't be read: it",
        ),
        (f"Could not read footer for file: {URL}.", f"{PARQUET} can't be read: it is damaged."),
        (f"Could not read file {URL}, 3 of 4", f"{PARQUET} can't be read: it is damaged."),
        ("Could not read footer for file /w/a.parquet.", "/w/a.parquet can't be read: it is damaged."),
        (f"File {URL} does not exist", f"{PARQUET} can't be read: it is not there."),
        ("File s3a://box/a.parquet does not exist", "s3a://box/a.parquet can't be read: it is not there."),
        ("java.io.FileNotFoundException: /w/a.parquet (No such file", "/w/a.parquet can't be read: it is not there."),
        *[(f"[DELTA_{name}] in file:/w/runs/_delta_log", f"/w/runs can't be read: {LOG}") for name in LOG_ERRORS],
    ],
)
def test_damage_is_one_sentence_with_the_file(words: str, sentence: str) -> None:
    error = as_damage(RuntimeError(f"An error occurred while calling o1.collect.\n: {words}\n\tat x.y(Z.java:1)"))
    assert error is not None
    assert sentence in str(error)
    assert str(error).count("\n") == 0
    assert error.exit_code == 42


def test_other_errors_are_not_damage() -> None:
    for error in (
        ValueError("a bug"),
        UsageError(f"[FAILED_READ_FILE.NO_HINT] {READING}"),
        RuntimeError("[DIVIDE_BY_ZERO] Division by zero"),
    ):
        assert as_damage(error) is None
