"""A training set that grows: batches, changed features and kills in any order end as if it had been built at once."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs.training_set.manifest import Manifest
from jobs.training_set.manifest_files import manifest_fields, manifest_of
from tests.e2e.oracle.joined import stored_hash
from tests.e2e.small.bike_models import SERVICE, released_models
from tests.e2e.small.bikes import Bikes
from tests.e2e.small.killing import kill

NAME = "grown"
DATA, EVIDENCE = f"training_sets/{NAME}/data", f"training_sets/{NAME}/evidence"
POINTS = (
    "before_stage@spine", "after_stage@joined", f"after_publish@{EVIDENCE}", f"after_publish@{DATA}",
    f"before_manifest@{DATA}", f"between_manifests@{NAME}",
)  # fmt: skip
INSTANT = pa.timestamp("us", tz="UTC")


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    return released_models(tmp_path_factory, tmp_path_factory.mktemp("grown models"))


def whole_spine(rng: random.Random) -> list[dict[str, Any]]:
    """Riders at instants around both snapshots; some rows twice, some without a key or a label time."""
    noon = datetime(2024, 6, 1, 12, tzinfo=UTC)
    rows = [
        {"rider_id": f"R{rider:02d}", "label_time": noon + timedelta(days=day), "has_ridden": None, "weight": 0.5 * day}
        for rider in (1, 2, 3, 5, 8, 99)
        for day in (-2, 0, 3, 7, 9)
    ]
    rows += [dict(rows[4]), dict(rows[4]), {**rows[7], "rider_id": None}, {**rows[8], "label_time": None}]
    rng.shuffle(rows)
    return rows


def written(bikes: Bikes, rows: list[dict[str, Any]]) -> str:
    schema = {"rider_id": pa.string(), "label_time": INSTANT, "has_ridden": pa.bool_(), "weight": pa.float64()}
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(schema)), bikes.folder / "spine.parquet")
    return "spine.parquet"


def words(name: str, *more: str) -> tuple[str, ...]:
    return "training-set", "--service", SERVICE, "--spine", "spine.parquet", "--out", name, *more


def built(bikes: Bikes, name: str, *more: str) -> tuple[str, Manifest]:
    said = bikes.ziggurat(*words(name, *more))
    assert said.code == 0, said.err + said.out
    manifest = manifest_of(bikes.warehouse, name)
    rows = bikes.table(f"training_sets/{name}/data", version=manifest.data.version)
    assert stored_hash(rows) == manifest.data.hash
    assert rows.num_rows == manifest.data.rows
    return said.out, manifest


def content(manifest: Manifest) -> Mapping[str, Any]:
    """The parts that do not depend on when and how often it was built: content, and the certificate's counts."""
    certificate = {
        name: value
        for name, value in manifest_fields(manifest)["certificate"].items()
        if name not in ("name", "made_at", "proof")
    }
    return {"hash": manifest.data.hash, "split": manifest.split, "certificate": certificate}


def mode(bikes: Bikes) -> str:
    return str(DeltaTable(f"{bikes.warehouse.root}/{DATA}").history(1)[0]["operationParameters"]["mode"])


def changed(bikes: Bikes, old: str, new: str) -> None:
    services = bikes.definition("services.py")
    text = services.read_text("utf-8")
    assert old in text
    services.write_text(text.replace(old, new), "utf-8")


def test_batches_changed_features_and_kills_end_as_if_the_set_had_been_built_at_once(spark, bikes: Bikes) -> None:
    rng = random.Random(20240601)
    rows = whole_spine(rng)
    cuts = sorted(rng.sample(range(3, len(rows)), 3))
    points = rng.sample(POINTS, 4)

    # A first batch, then a second one that is appended.
    written(bikes, rows[: cuts[0]])
    kill(spark, bikes, points[0], *words(NAME))
    built(bikes, NAME)
    written(bikes, rows[: cuts[1]])
    out, manifest = built(bikes, NAME)
    assert (f"{cuts[1] - cuts[0]:,} rows added" in out, mode(bikes), manifest.version) == (True, "Append", 2)
    assert "nothing to do" in bikes.ziggurat(*words(NAME)).out

    # A killed append: the next run starts from the manifest, not from what lies there.
    written(bikes, rows[: cuts[2]])
    kill(spark, bikes, points[1], *words(NAME))
    assert manifest_of(bikes.warehouse, NAME) == manifest
    kill(spark, bikes, points[2], *words(NAME))
    _, manifest = built(bikes, NAME)
    assert (manifest.version, manifest.data.rows) == (3, cuts[2])

    # A view is joined otherwise: it alone is joined anew, for old rows and new ones.
    changed(bikes, 'max_age="8d"', 'max_age="9d"')
    written(bikes, rows)
    kill(spark, bikes, points[3], *words(NAME))
    out, manifest = built(bikes, NAME)
    assert "rider_activity joined anew" in out
    built(bikes, "once")
    assert content(manifest) == content(manifest_of(bikes.warehouse, "once"))

    # Labels become known and rows leave: nothing is joined, and yet all is right.
    rows = [{**row, "has_ridden": row["weight"] > 1} for row in rows if row["rider_id"] != "R02"]
    written(bikes, rows)
    out, manifest = built(bikes, NAME)
    assert "known features taken over" in out

    # A feature more, of a view that stands, and a table that has moved.
    changed(bikes, '"ride_count_30d", "fare_sum_30d"', '"fare_sum_30d", "ride_count_30d", "ride_count_7d"')
    bikes.built("2024-06-05")
    built(bikes, NAME)
    rows.append(dict(rows[0]))
    written(bikes, rows)
    out, manifest = built(bikes, NAME)
    assert ("1 rows added" in out, mode(bikes)) == (True, "Append")
    built(bikes, "again")
    assert content(manifest) == content(manifest_of(bikes.warehouse, "again"))


def test_every_version_stays_readable_by_its_number(bikes: Bikes) -> None:
    newest = manifest_of(bikes.warehouse, NAME)
    assert newest.version == 7
    folder = Path(bikes.warehouse.root, "training_sets", NAME)
    assert (folder / "manifests" / "7.json").read_bytes() == (folder / "manifest.json").read_bytes()
    for version in range(1, newest.version + 1):
        manifest = manifest_of(bikes.warehouse, NAME, version)
        rows = bikes.table(DATA, version=manifest.data.version)
        assert (manifest.version, stored_hash(rows)) == (version, manifest.data.hash)
    said = bikes.ziggurat("training-set", "verify", f"{NAME}@8")
    assert (said.code, "has no version 8; the newest is 7" in said.sentence) == (43, True)
