"""Deliveries that other libraries wrote are read value by value, and their records are counted by them."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import fs

from lakehouse.files.listing import data_files
from lakehouse.files.location import Location
from lakehouse.files.text_file import TextFile, columns_of, file_batches, file_schema, text_format

NAMES = ("id", "a.b", "_file", "Name `x`", "=")
# Half of a surrogate pair is no text; Python's csv leaves a bare CR unquoted.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=6)
ROW = st.fixed_dictionaries({name: st.none() | TEXT for name in NAMES})
FILES = st.lists(st.tuples(st.permutations(NAMES), st.lists(ROW, max_size=5)), min_size=1, max_size=3)
Rows = list[dict[str, Any]]


def by_csv(path: Path, names: list[str], rows: Rows, encoding: str) -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def by_pandas(path: Path, names: list[str], rows: Rows, encoding: str) -> None:
    pd.DataFrame(rows, columns=names, dtype=object).to_csv(path, index=False, encoding=encoding)


def by_polars(path: Path, names: list[str], rows: Rows, encoding: str) -> None:
    text = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String)).write_csv(quote_style="non_numeric")
    path.write_bytes(text.encode(encoding))


def lines_by_pandas(path: Path, names: list[str], rows: Rows, encoding: str) -> None:
    pd.DataFrame(rows, columns=names, dtype=object).to_json(path, orient="records", lines=True)


def array_by_json(path: Path, names: list[str], rows: Rows, encoding: str) -> None:
    ordered = [{name: row[name] for name in names} for row in rows]
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False), encoding=encoding)


def lines_by_polars(path: Path, names: list[str], rows: Rows, encoding: str) -> None:
    written = io.BytesIO()
    pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String)).write_ndjson(written)
    path.write_bytes(written.getvalue())


WRITERS = {"csv": (by_csv, by_pandas, by_polars), "json": (lines_by_pandas, array_by_json, lines_by_polars)}
UTF8_ONLY = (lines_by_pandas, lines_by_polars)


def read(location: Location) -> tuple[list[tuple[Any, ...]], int]:
    """The good records by the order of NAMES, and how many problems there are."""
    good, problems = [], 0
    for file in map(TextFile.of, data_files("drawn", location)):
        format_ = text_format(location)
        found = columns_of(fs.LocalFileSystem(), file, format_, NAMES)
        assert not found or set(found) == set(NAMES)
        batches = file_batches(fs.LocalFileSystem(), file, format_, NAMES, seen=set())
        for row in zip(*pa.Table.from_batches(batches, file_schema(len(NAMES))).to_pydict().values(), strict=True):
            good += [row[: len(NAMES)]] if row[len(NAMES)] is None else []
            problems += row[len(NAMES)] is not None
    return good, problems


@settings(max_examples=120, deadline=None)
@given(data=st.data(), files=FILES, format_=st.sampled_from(["csv", "json"]))
def test_what_csv_json_pandas_and_polars_write_is_read_value_by_value(
    data: st.DataObject, files: list, format_: str
) -> None:
    wanted = []
    with tempfile.TemporaryDirectory() as folder:
        encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
        for number, (names, rows) in enumerate(files):
            writer = data.draw(st.sampled_from(WRITERS[format_]))
            of_file = "utf-8" if writer in UTF8_ONLY else encoding
            writer(Path(folder, f"{number} #[1].{format_}"), list(names), rows, of_file)
            wanted += [tuple(row[name] or None for name in NAMES) for row in rows]
        good, problems = read(Location(folder, format_))
    assert problems == 0
    assert sorted(good, key=repr) == sorted(wanted, key=repr)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=8), data=st.data())
def test_a_damaged_line_costs_itself_and_every_line_is_counted(rows: Rows, data: st.DataObject) -> None:
    """Of records without line breaks a line is a record, so that lines count what is read."""
    plain = [{name: (row[name] or "").translate({10: 32, 34: 39}) for name in NAMES} for row in rows]
    written = io.StringIO()
    writer = csv.DictWriter(written, NAMES, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(plain)
    header, *lines, _ = written.getvalue().split("\n")
    damaged = data.draw(st.sets(st.integers(0, len(lines) - 1)))
    damage = data.draw(st.sampled_from(["cut", "more", "less"]))
    for n in damaged:
        changed = {"cut": lines[n][:-1], "more": lines[n] + ',"x"', "less": lines[n].rpartition(',"')[0]}[damage]
        lines[n] = changed
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.csv").write_text("\n".join([header, *lines]) + "\n")
        good, problems = read(Location(folder, "csv"))
    if damage != "cut":  # an open quote may close in the next line
        assert problems == len(damaged)
        kept = [row for n, row in enumerate(plain) if n not in damaged]
        assert sorted(good, key=repr) == sorted((tuple(row[name] or None for name in NAMES) for row in kept), key=repr)
    assert len(good) + problems <= len(lines)
