"""The newest release: which version of each table belongs to it, and its rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame

from definitions.errors import NotReleased
from definitions.registry import key_of
from definitions.views import Definition
from jobs.run.context import Context
from jobs.run.published import PublishedState
from lakehouse.ledger.ledger import Ledger
from lakehouse.tables import read


@dataclass(frozen=True)
class Released:
    """A release, and what the ledger records of its tables."""

    release_id: int
    versions: Mapping[str, int]
    published: PublishedState

    def version(self, view: Definition) -> int:
        """Raises NotReleased for a view that the release does not hold."""
        table = key_of(view)
        if table not in self.versions:
            raise NotReleased(f"{table} is in no release yet. Build it: ziggurat build --as-of … --select {view.name}")
        return self.versions[table]


def newest_release(context: Context) -> Released:
    """Raises NotReleased where nothing was built yet."""
    ledger = Ledger.open(context.spark, context.warehouse)
    release = ledger.latest_release()
    if release is None:
        raise NotReleased(f"nothing is released in {context.warehouse.root} yet. Build first: ziggurat build --as-of …")
    versions = {table: view["version"] for table, view in release.views.items()}
    return Released(release.release_id, versions, PublishedState(ledger.state()))


def earlier_release(context: Context, release_id: int, versions: Mapping[str, int]) -> Released:
    """A release whose table versions are recorded elsewhere, as in a manifest."""
    return Released(release_id, versions, PublishedState(Ledger.open(context.spark, context.warehouse).state()))


def rows_of(context: Context, view: Definition, released: Released) -> DataFrame:
    """The view's table at the release's version."""
    return read(context.spark, context.warehouse.address(key_of(view)).path, version=released.version(view))
