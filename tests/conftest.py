"""One lazy Spark session for all tests that ask for it; the others never start a JVM, and come first.

`make test` runs two workers (pytest-xdist), each with a session of its own; a file's tests stay in one worker.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("unit", "properties", "docs", "spec", "lakehouse", "online", "packaging", "e2e")
IS_PARALLEL = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1
# Any JVM that is started with this option ends at once, and names its reason on stderr.
NO_JVM = "-agentlib:this_test_starts_a_JVM_but_is_not_marked_spark"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts Spark, and put files without such tests first: what fails fast fails first.

    Where several workers run, they take the longest files with Spark first, so that they end together: before all,
    the one that builds the real pyramid.
    """
    for item in items:
        if "spark_session" in getattr(item, "fixturenames", ()):
            item.add_marker("spark")
    with_spark = {item.path for item in items if item.get_closest_marker("spark")}

    def order(item: pytest.Item) -> tuple[bool, bool, int, str, bool]:
        room = ROOMS.index(next((part for part in item.path.parts if part in ROOMS), ROOMS[-1]))
        has_spark = item.path in with_spark
        builds_the_pyramid = IS_PARALLEL and item.path.name == "test_real_data_oracle.py"
        is_spark = item.get_closest_marker("spark") is not None
        return not builds_the_pyramid, has_spark, -room if IS_PARALLEL and has_spark else room, str(item.path), is_spark

    items.sort(key=order)


@pytest.fixture(autouse=True)
def _no_jvm_unless_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test without the marker `spark` can't start a JVM, in this process or in one that it starts."""
    if request.node.get_closest_marker("spark") is None:
        monkeypatch.setenv("JAVA_TOOL_OPTIONS", NO_JVM)


@pytest.fixture(scope="session")
def spark_session(tmp_path_factory: pytest.TempPathFactory):
    """The session of the whole test run; started by the first test that needs it. Tests ask for `spark`."""
    from lakehouse.session.start import SessionSettings, open_session

    home = tmp_path_factory.mktemp("spark")
    settings = SessionSettings(
        app_name="tests",
        master="local[2]",
        driver_memory="2g",
        shuffle_partitions=2,
        local_dir=home / "local",
        extra={"spark.sql.warehouse.dir": (home / "warehouse").as_uri()},
    )
    session = open_session(settings)
    yield session
    session.stop()


@pytest.fixture
def spark(spark_session) -> Iterator:
    """The session, without what a test before left in it: temporary views and cached frames."""
    yield spark_session
    for table in spark_session.catalog.listTables():
        if table.isTemporary:
            spark_session.catalog.dropTempView(table.name)
    spark_session.catalog.clearCache()


@pytest.fixture
def tmp_warehouse(tmp_path: Path) -> Path:
    """An empty folder for tables, with a space in its path, as some users have."""
    folder = tmp_path / "ware house"
    folder.mkdir()
    return folder
