"""Builds and plans of a workspace: without Spark as long as there is nothing to do, else with it."""

import contextlib
import importlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs.build.without_spark import (
    PlanContext,
    plan_with_spark,
    plan_without_spark,
    unchanged_without_spark,
    unread_sources,
)
from jobs.run.request import Request, new_run_id
from lakehouse.reader import NeedsSpark

__all__ = ["built", "import_ahead", "planned", "unchanged", "unread_sources"]
_OF_A_BUILD = ("jobs.build.job", "jobs.build.ingest", "jobs.build.derived", "jobs.build.snapshots", "jobs.run.report")

if TYPE_CHECKING:
    from jobs.build.plan import Plan
    from jobs.run.context import Context
    from jobs.run.outcome import RunOutcome


def planned(request: Request, plan_context: PlanContext, context: "Callable[[], Context]") -> "Plan":
    """context: opens Spark; it is called only where tables can't be read without it."""
    try:
        return plan_without_spark(plan_context, request, now=datetime.now(UTC))
    except NeedsSpark:
        return plan_with_spark(context(), request)


def unchanged(request: Request, plan_context: PlanContext) -> "RunOutcome | None":
    """The outcome of a build that finds nothing to do, without Spark; None where Spark is needed."""
    now = datetime.now(UTC)
    try:
        return unchanged_without_spark(plan_context, request, now=now, run_id=new_run_id(now))
    except NeedsSpark:
        return None


def import_ahead() -> None:
    """Begin, in a thread, to import what a build needs: the process is about to wait for the JVM to start."""
    # Imported here first: two threads that import one package wait for each other.
    importlib.import_module("pyspark.sql")
    importlib.import_module("lakehouse.session.start")
    threading.Thread(target=_import_all, name="import-ahead", daemon=True).start()


def _import_all() -> None:
    with contextlib.suppress(Exception):  # the build imports the same and meets the same error
        for name in _OF_A_BUILD:
            importlib.import_module(name)
        importlib.import_module("quality").preload()


def built(request: Request, context: "Context") -> "RunOutcome":
    """Build, then bring the layouts that exist to the new release."""
    from jobs.build.job import build
    from jobs.layouts.job import keep_up_layouts

    outcome = build(context, request)
    if not outcome.is_unchanged:
        keep_up_layouts(context.in_run(outcome.run_id))
    return outcome
