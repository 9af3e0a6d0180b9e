"""One lazy Spark session for all tests that ask for it; the others never start a JVM, and come first."""

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("unit", "properties", "docs", "spec", "lakehouse", "online", "packaging", "e2e")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those without Spark first, then by room: what fails fast fails first."""

    def order(item: pytest.Item) -> tuple[bool, int]:
        room = next((part for part in item.path.parts if part in ROOMS), ROOMS[-1])
        return "spark_session" in getattr(item, "fixturenames", ()), ROOMS.index(room)

    items.sort(key=order)


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
