"""Training sets split by time, copied to parquet, verified against their manifests, and compared cell by cell."""

import json
import random
import re
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from definitions.durations import DAY_US, instant_us
from jobs.training_set.manifest import Manifest
from jobs.training_set.manifest_files import find_manifest, manifest_of
from tests.e2e.small.bike_models import LABEL, SERVICE, released_models
from tests.e2e.small.bikes import Bikes
from tests.support.commands import Said

INSTANT = pa.timestamp("us", tz="UTC")
FARE = "rider_activity__fare_sum_30d"


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    bikes = released_models(tmp_path_factory, tmp_path_factory.mktemp("compared models"))
    noon = datetime(2024, 6, 1, 12, tzinfo=UTC)
    rows = [
        {"rider_id": rider, "label_time": noon + timedelta(days=day), "n.o": day}
        for rider in ("R01", "R02", "R05", "R99", None)
        for day in range(10)
    ]
    rows += [{"rider_id": "R01", "label_time": None, "n.o": -1}, dict(rows[3]), dict(rows[3])]
    random.Random(5).shuffle(rows)
    table = pa.Table.from_pylist(rows, pa.schema({"rider_id": pa.string(), "label_time": INSTANT, "n.o": pa.int32()}))
    nested = [{"tags": ["a"], "by": [("k", n)]} for n in range(table.num_rows)]
    kind = pa.struct([("tags", pa.list_(pa.string())), ("by", pa.map_(pa.string(), pa.int64()))])
    pq.write_table(table, bikes.folder / "spine.parquet")
    pq.write_table(table.append_column("asked", pa.array(nested, kind)), bikes.folder / "nested.parquet")
    return bikes


def made(bikes: Bikes, name: str, *more: str, spine: str = "spine.parquet") -> Manifest:
    said = bikes.ziggurat("training-set", "--service", SERVICE, "--spine", spine, "--out", name, *more)
    assert said.code == 0, said.err + said.out
    return manifest_of(bikes.warehouse, name)


def ask(bikes: Bikes, *words: str) -> Said:
    return bikes.ziggurat("training-set", *words)


def rows_of(bikes: Bikes, manifest: Manifest) -> list[dict[str, Any]]:
    return bikes.table(f"training_sets/{manifest.name}/data", version=manifest.data.version).to_pylist()


def test_a_split_by_shares_leaves_a_gap_before_each_boundary_and_its_copy_has_a_folder_per_part(bikes: Bikes) -> None:
    manifest = made(bikes, "parts", "--split", "0.6,0.2,0.2", "--gap", "1d", "--format", "parquet")
    rows = rows_of(bikes, manifest)
    # Of 52 rows with a label time, 5 a day and 7 on the fourth, 31 (0.6) end in the sixth day, 41 (0.8) in the eighth.
    validation, test = datetime(2024, 6, 6, 12, tzinfo=UTC), datetime(2024, 6, 8, 12, tzinfo=UTC)
    assert manifest.split is not None
    assert manifest.parquet is not None
    boundaries = [datetime.fromisoformat(text) for text in (manifest.split.validation_from, manifest.split.test_from)]
    assert boundaries == [validation, test]
    day = timedelta(days=1)
    for row in rows:
        at = row["label_time"]
        expected = (
            "gap" if at is None
            else "test" if at >= test
            else "validation" if validation <= at <= test - day
            else "train" if at <= validation - day
            else "gap"
        )  # fmt: skip
        assert row["split"] == expected
    counts = Counter(row["split"] for row in rows)
    assert {name: part.rows for name, part in manifest.split.parts.items()} == dict(counts)
    assert sum(counts.values()) == 53
    folder = Path(bikes.warehouse.root, "training_sets", "parts", manifest.parquet.folder)
    copy = ds.dataset(folder, partitioning="hive").to_table()
    assert Counter(copy["split"].to_pylist()) == counts
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {f"split={name}" for name in counts}
    shown = ask(bikes, "show", "parts").out
    assert "split: validation from 2024-06-06T12:00:00Z" in shown
    assert f"parquet: training_sets/parts/{manifest.parquet.folder}" in shown
    assert f"train {counts['train']:,} rows from" in Path(folder.parents[1], "card.html").read_text("utf-8")


def test_a_split_set_that_grew_is_split_as_the_one_built_at_once(bikes: Bikes) -> None:
    table, split = pq.read_table(bikes.folder / "spine.parquet"), ("--split", "0.6,0.2,0.2", "--gap", "1d")
    pq.write_table(table.slice(0, 45), bikes.folder / "less.parquet")
    before = made(bikes, "split_later", *split, spine="less.parquet")
    after = made(bikes, "split_later", *split)
    once = manifest_of(bikes.warehouse, "parts")
    assert (after.version, after.data.hash, after.split) == (2, once.data.hash, once.split)
    page = Path(bikes.warehouse.root, "training_sets", "split_later", "card.html")
    newest = page.read_bytes()
    assert f"{before.data.rows:,} rows" in ask(bikes, "show", "split_later@1").out
    assert page.read_bytes() == newest


def test_a_label_brings_its_horizon_and_no_train_outcome_reaches_the_first_validation_row(bikes: Bikes) -> None:
    assert bikes.ziggurat("labels", LABEL).code == 0
    manifest = made(bikes, "labelled", "--split-at", "2024-05-27,2024-06-05", spine=LABEL)
    assert manifest.split is not None
    assert manifest.split.gap == "7d"
    parts = manifest.split.parts
    assert instant_us(parts["train"].last or "") + 7 * DAY_US <= instant_us(parts["validation"].first or "")
    assert parts["gap"].rows > 0
    words = ("--service", SERVICE, "--out", "x", "--spine")
    short = ask(bikes, *words, LABEL, "--split-at", "2024-05-27,2024-06-05", "--gap", "1d")
    assert (short.code, "shorter than the horizon" in short.sentence) == (2, True)
    bare = ask(bikes, *words, "spine.parquet", "--split", "0.6,0.2,0.2")
    assert (bare.code, "--gap 30d" in bare.sentence) == (2, True)
    empty = ask(bikes, *words, "spine.parquet", "--split", "0.6,0.2,0.2", "--gap", "9d")
    assert (empty.code, "leaves no row for train and validation" in empty.sentence) == (2, True)
    assert find_manifest(bikes.warehouse, "x") is None


def test_a_spine_with_nested_columns_is_joined_extended_and_verified(bikes: Bikes) -> None:
    first = made(bikes, "nested", spine="nested.parquet")
    table = pq.read_table(bikes.folder / "nested.parquet")
    pq.write_table(table.slice(0, 20), bikes.folder / "nested.parquet")
    second = made(bikes, "nested", spine="nested.parquet")
    assert (first.data.rows, second.data.rows, second.version) == (53, 20, 2)
    assert ask(bikes, "verify", "nested@1").code == 0
    assert ask(bikes, "verify", "nested").code == 0


def test_list_names_every_training_set(bikes: Bikes) -> None:
    listed = [json.loads(line) for line in ask(bikes, "list", "--json").out.splitlines()]
    (parts,) = [line for line in listed if line["name"] == "parts"]
    manifest = manifest_of(bikes.warehouse, "parts")
    assert parts == {
        "name": "parts", "version": 1, "service": SERVICE, "rows": 53, "certified": "yes", "made": manifest.made_at,
    }  # fmt: skip
    assert "parts" in ask(bikes, "list").out


def test_explain_builds_nothing_and_a_strategy_changes_nothing(bikes: Bikes) -> None:
    said = ask(bikes, "--service", SERVICE, "--spine", "spine.parquet", "--explain")
    assert (said.code, all(view in said.out for view in ("rider_activity", "rider_vs_plan", "riders"))) == (0, True)
    plain, other = made(bikes, "plain"), made(bikes, "by_arrow", "--strategy", "arrow")
    assert plain.data.hash == other.data.hash
    again = ask(bikes, "--service", SERVICE, "--spine", "spine.parquet", "--out", "plain", "--strategy", "arrow")
    assert "nothing to do" in again.out


def test_diff_says_which_cells_differ_and_why(bikes: Bikes) -> None:
    before = made(bikes, "plain")
    table = pq.read_table(bikes.folder / "spine.parquet")
    moved = table.slice(1).set_column(2, "n.o", pa.array([7] * (table.num_rows - 1), pa.int32()))
    pq.write_table(moved, bikes.folder / "moved.parquet")
    services = bikes.definition("services.py")
    with bikes.broken(services, services.read_text("utf-8").replace('max_age="8d"', 'max_age="30h"')):
        after = made(bikes, "plain", spine="moved.parquet")
    found = json.loads(ask(bikes, "diff", "plain@1", "plain", "--json").out)
    assert (found["a"], found["b"], found["only_in_a"], found["only_in_b"]) == ("plain@1", "plain@2", 1, 0)
    assert len(found["rows_only_in_a"]) == 1
    columns = {column["column"]: column for column in found["columns"]}

    def by_point(manifest: Manifest, column: str) -> Counter[Any]:
        return Counter((row["rider_id"], row["label_time"], row[column]) for row in rows_of(bikes, manifest))

    gone = table.slice(0, 1).to_pylist()[0]
    for name in (FARE, "n.o"):
        lost = by_point(before, name) - by_point(after, name)
        lost_with_row = sum(1 for point in lost.elements() if point[:2] == (gone["rider_id"], gone["label_time"]))
        assert sum(lost.values()) - lost_with_row <= columns[name]["cells"] <= sum(lost.values())
    assert [reason["why"] for reason in columns[FARE]["reasons"]] == ["options"]
    assert columns[FARE]["reasons"][0]["told"] == "max_age 8d and 30h"
    assert [reason["why"] for reason in columns["n.o"]["reasons"]] == ["labels"]
    assert 1 <= len(columns[FARE]["examples"]) <= 3
    assert all(example["b"] is None and example["a"] is not None for example in columns[FARE]["examples"])
    assert set(columns) <= {FARE, "rider_activity__ride_count_30d", "n.o"}
    text_form = ask(bikes, "diff", "plain@1", "plain").out
    assert f"{FARE}: {columns[FARE]['cells']:,} cells differ" in text_form
    assert "no cell differs" in ask(bikes, "diff", "plain@1", "by_arrow").out


def test_verify_finds_equal_rows_other_rows_and_erased_tables(bikes: Bikes) -> None:
    manifest = made(bikes, "truth")
    said = ask(bikes, "verify", f"{bikes.warehouse.root}/training_sets/truth/manifest.json")
    assert (said.code, "the same 53 rows" in said.out) == (0, True)

    # Another program writes other values over the stored rows, and makes the manifest point there.
    data = f"{bikes.warehouse.root}/training_sets/truth/data"
    rows = DeltaTable(data).to_pyarrow_table()
    index = rows.column_names.index(FARE)
    known = [value is not None for value in rows[FARE].to_pylist()]
    raised = [value + 1 if value is not None else None for value in rows[FARE].to_pylist()]
    write_deltalake(data, rows.set_column(index, rows.schema.field(FARE), pa.array(raised)), mode="overwrite")
    forged = json.loads(Path(data, "..", "manifest.json").read_text("utf-8"))
    forged["data"]["version"] += 1
    Path(bikes.folder, "forged.json").write_text(json.dumps(forged), "utf-8")
    said = ask(bikes, "verify", "forged.json")
    assert (said.code, f"{FARE} in {sum(known)}" in said.sentence) == (44, True)

    # A version that its manifest names is gone.
    for file in Path(bikes.warehouse.root, "training_sets", "truth", "data").glob("*.parquet"):
        if file.name in {Path(uri).name for uri in DeltaTable(data, version=manifest.data.version).file_uris()}:
            file.unlink()
    said = ask(bikes, "verify", "truth")
    assert (said.code, "truth/data can no longer be read at version 0" in said.sentence) == (45, True)
    assert re.search(r"its manifest names: \d+ of its \d+ files are gone \(part-", said.sentence)
    shutil.rmtree(f"{bikes.warehouse.root}/aggregate/rider_activity/v1")
    said = ask(bikes, "verify", "by_arrow")
    assert (said.code, "aggregate/rider_activity/v1 can no longer be read" in said.sentence) == (45, True)
    assert "there is no table any more" in said.sentence
