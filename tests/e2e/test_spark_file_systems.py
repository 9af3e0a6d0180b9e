"""Sources and spines on a file system that only Spark knows: nights notice what is new, commands read it."""

import shutil

import pytest

from tests.e2e.small.bike_models import SERVICE, released_models
from tests.e2e.small.bikes import FIRST, Bikes
from tests.support.mounted import mounted


@pytest.fixture(scope="module")
def bikes(spark_session, tmp_path_factory: pytest.TempPathFactory) -> Bikes:
    return released_models(tmp_path_factory, tmp_path_factory.mktemp("mounted bikes"))


def test_nights_notice_new_files_and_spines_are_read(bikes: Bikes, spark) -> None:
    with mounted(spark, bikes.folder / "data") as address:
        there = ("--select", "rides", "-s", f"sources.rides.path={address}/rides")
        assert "delivered again" in bikes.built(FIRST, *there).out  # other names, the same rides
        versions = bikes.versions()
        planned = bikes.ziggurat("plan", "--as-of", FIRST, *there)
        assert "Spark has to list its files (no file system is known for viewfs://" in planned.out
        assert "nothing to do" in bikes.built(FIRST, *there).out
        shutil.copy(bikes.riders, bikes.folder / "data" / "rides" / "riders.csv")
        refused = bikes.ziggurat("build", "--as-of", FIRST, *there)
        assert (refused.code, "rides/riders.csv has no column" in refused.err + refused.out) == (22, True)
        (bikes.folder / "data" / "rides" / "riders.csv").unlink()
        missing = bikes.ziggurat(
            "build", "--as-of", FIRST, "--select", "rides", "-s", f"sources.rides.path={address}/r"
        )
        assert (missing.code, "nothing lies at viewfs://" in missing.err + missing.out) == (21, True)
        assert bikes.versions() == versions

        spine = bikes.folder / "data" / "spines"
        spine.mkdir()
        (spine / "a.csv").write_text("rider_id,label_time\nR01,2024-06-03T12:00:00Z\n")
        made = bikes.ziggurat("training-set", "--service", SERVICE, "--spine", f"{address}/spines", "--out", "mounted")
        assert made.code == 0, made.err
        assert bikes.table("training_sets/mounted/data").num_rows == 1
    unknown = "nowhere://x/y.csv can't be read by Spark (UnsupportedFileSystemException: No FileSystem for scheme"
    for kind in ("csv", "delta"):
        there = ("-s", "sources.rides.path=nowhere://x/y.csv", "-s", f"sources.rides.format={kind}")
        said = bikes.ziggurat("build", "--as-of", FIRST, "--select", "rides", *there)
        assert (said.code, unknown in said.err + said.out) == (23, True), kind
    said = bikes.ziggurat("training-set", "--service", SERVICE, "--spine", "nowhere://x/y.csv", "--out", "nowhere")
    assert (said.code, f"the spine {unknown}" in said.err) == (35, True)
