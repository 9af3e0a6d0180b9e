"""Gather the content of a run's report, and write it beside the tables."""

import platform
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import functions as F

from definitions.description import describe
from definitions.durations import day_or_instant, instant_us
from definitions.registry import key_of
from definitions.types import type_named
from definitions.views import Definition
from jobs.run.context import Context
from jobs.run.memory import peak_memory_mb
from jobs.run.outcome import RunOutcome, StepOutcome
from lakehouse.small_tables import read_rows
from lakehouse.tables import TableAddress, exists, names_in, place_file
from reports import Check, ColumnCard, Profile, QuarantineLine, RunReport, Sample, StepLine, ViewCard, write_run_report

SAMPLED_ROWS = 2_000
Example = Mapping[str, tuple[tuple[str, Any, str], ...]]


def write_report(
    context: Context, outcome: RunOutcome, *, example: Example | None = None, example_entity: str = ""
) -> str:
    """One self-contained HTML file at `<warehouse>/reports/<run>.html`; returns its path."""
    with tempfile.TemporaryDirectory() as folder:
        draft = write_run_report(_gathered(context, outcome, example, example_entity), Path(folder) / "report.html")
        return place_file(draft, f"{context.warehouse.reports}/{outcome.run_id}.html")


def latest_report(context: Context) -> str | None:
    """The path of the newest report, None where there is none; run ids sort by time."""
    names = [name for name in names_in(context.warehouse.reports) if name.endswith(".html")]
    return f"{context.warehouse.reports}/{max(names)}" if names else None


def _gathered(context: Context, outcome: RunOutcome, example: Example | None, example_entity: str) -> RunReport:
    touched = {step.table for step in outcome.steps}
    views = [d for d in context.registry.definitions if key_of(d) in touched]
    return RunReport(
        run_id=outcome.run_id,
        command=f"ziggurat {outcome.command}",
        as_of=outcome.as_of,
        started_at=datetime.now(UTC) - timedelta(seconds=outcome.seconds),
        seconds=outcome.seconds,
        status="failed" if outcome.error else "ended",
        versions=_versions(),
        steps=tuple(_step(step) for step in outcome.steps),
        views=tuple(_card(view) for view in views),
        profiles=tuple(line for step in outcome.steps for line in _profiles(step)),
        samples=tuple(_samples(context, outcome, views)),
        checks=tuple(
            Check(
                f.view,
                f.slice,
                feature=f.feature or "rows",
                expectation=f.expectation,
                bound=f.bound,
                found=f.found,
                passed=False,
            )
            for s in outcome.steps
            for f in s.failures
        ),
        quarantine=tuple(
            QuarantineLine(s.table, reason, rows=rows) for s in outcome.steps for reason, rows in s.quarantined.items()
        ),
        peak_memory_mb=peak_memory_mb(),
        release=str(outcome.release) if outcome.release else None,
        example=example,
        example_entity=example_entity,
    )


def _versions() -> dict[str, str]:
    names = ("ziggurat-features", "pyspark", "delta-spark", "great-expectations", "pandas", "pyarrow", "numpy")
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return "from a checkout" if name == "ziggurat-features" else "not installed"


def _step(step: StepOutcome) -> StepLine:
    return StepLine(
        step.table,
        step.table.split("/")[0],
        status=str(step.status),
        rows_in=step.rows_in,
        rows_out=step.rows_out,
        seconds=step.seconds,
        started=step.started,
        message=step.message,
    )


def _card(view: Definition) -> ViewCard:
    described = describe(view)
    return ViewCard(
        described.name,
        described.layer,
        version=described.version,
        doc=described.doc,
        entity=described.entity,
        columns=tuple(ColumnCard(c.name, c.type, unit=c.unit, doc=c.doc) for c in described.columns),
        upstream=described.upstream,
    )


def _profiles(step: StepOutcome) -> list[Profile]:
    if step.profile is None:
        return []
    return [
        Profile(
            step.table,
            day_or_instant(int(line["slice"])),
            feature=str(line["feature"]),
            rows=int(line["rows"]),
            nulls=int(line["nulls"]),
            minimum=_known(line["minimum"]),
            maximum=_known(line["maximum"]),
            mean=_known(line["mean"]),
        )
        for line in step.profile.to_dict("records")
    ]


def _known(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)


def _samples(context: Context, outcome: RunOutcome, views: list[Definition]) -> list[Sample]:
    """Distributions are drawn from the newest as-of's rows, the same sample each time."""
    if not outcome.as_of:
        return []
    at = instant_us(outcome.as_of[-1])
    snapshots = [view for view in views if view.is_snapshot]
    tables = {view: context.warehouse.address(key_of(view)) for view in snapshots}
    return [_sample(context, view, table, at) for view, table in tables.items() if exists(context.spark, table.path)]


def _sample(context: Context, view: Definition, table: TableAddress, at_us: int) -> Sample:
    numbers = [f.name for f in view.published if type_named(f.type).is_number]
    rows = read_rows(context.spark, table.path, version=None).where(
        (F.unix_micros("event_time") == at_us) & (F.col("event_date") == F.to_date(F.timestamp_micros(F.lit(at_us))))
    )
    few = (
        rows.orderBy(F.xxhash64(*view.key_names))
        .limit(SAMPLED_ROWS)
        .select(*[F.col(n).cast("double") for n in numbers])
        .toArrow()
    )
    return Sample(table.key, {name: few[name].to_pylist() for name in numbers})
