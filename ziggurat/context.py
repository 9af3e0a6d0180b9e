"""The context that jobs run in, made from settings: the Spark session, the warehouse, where sources are delivered."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from definitions.registry import Registry
from ziggurat.settings import Settings

if TYPE_CHECKING:
    from jobs.build.without_spark import PlanContext
    from jobs.run.context import Context, Listener
    from lakehouse.files.location import Location


def open_context(settings: Settings, registry: Registry, listener: "Listener | None") -> "Context":
    """Starts Spark, or takes the session that is there."""
    from jobs.run.context import Context, Options, SilentListener
    from lakehouse.session.start import SessionSettings, open_session
    from lakehouse.tables import Warehouse
    from quality import RowRule

    listener = listener or SilentListener()
    spark = settings.spark
    session = open_session(
        SessionSettings(
            master=spark.master or None,
            driver_memory=spark.driver_memory,
            shuffle_partitions=spark.shuffle_partitions,
            local_dir=Path(spark.local_dir) if spark.local_dir else None,
            extra=spark.conf,
        ),
        say=listener.note,
    )
    build = settings.build
    return Context(
        spark=session,
        warehouse=Warehouse(settings.warehouse),
        registry=registry,
        listener=listener,
        locations=_locations(settings),
        options=Options(
            workers=build.workers,
            facts_per_task=build.facts_per_task,
            data_may_lag=build.data_may_lag,
            row_rule=RowRule(may_shrink=build.may_shrink, may_grow=build.may_grow),
        ),
    )


def plan_context(settings: Settings, registry: Registry) -> "PlanContext":
    """What a plan is made in; starts nothing."""
    from jobs.build.without_spark import PlanContext
    from lakehouse.tables import Warehouse

    return PlanContext(
        warehouse=Warehouse(settings.warehouse),
        registry=registry,
        locations=_locations(settings),
        data_may_lag=settings.build.data_may_lag,
    )


def _locations(settings: Settings) -> "dict[str, Location]":
    from lakehouse.files.location import Location

    return {name: Location(_absolute(s.path), s.format, s.options) for name, s in settings.sources.items()}


def _absolute(path: str) -> str:
    """Relative paths count from this process's folder: the JVM may have been started in another one."""
    return path if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:/", path) else str(Path(path).absolute())
