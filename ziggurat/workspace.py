"""`zg.open()`: one warehouse with its definitions, from Python and notebooks.

The verbs return DataFrames and outcomes.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from definitions.durations import day_or_instant
from definitions.errors import UnknownName, UsageError
from definitions.registry import Registry, key_of
from definitions.views import Definition
from ziggurat.context import open_context, plan_context
from ziggurat.loading import load_definitions
from ziggurat.model_rows import ModelRows, given_instant
from ziggurat.settings import Resolved, Settings, resolve, store_settings

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

    from jobs.build.plan import Plan
    from jobs.export.job import ExportOutcome
    from jobs.run.context import Context, Listener
    from jobs.run.outcome import RunOutcome
    from jobs.spines.labels import LabelOutcome
    from online_store.store import OnlineStore


class Workspace(ModelRows):
    """Definitions and settings; Spark starts with the first verb that needs it."""

    def __init__(self, resolved: Resolved, registry: Registry, listener: "Listener | None" = None) -> None:
        self.resolved, self.registry, self._listener = resolved, registry, listener
        self._context: Context | None = None

    @property
    def settings(self) -> Settings:
        return self.resolved.settings

    @property
    def listener(self) -> "Listener":
        """Receives what runs do; silent where none was given."""
        from jobs.run.context import SilentListener

        return self._listener or SilentListener()

    @property
    def context(self) -> "Context":
        if self._context is None:
            self._context = open_context(self.settings, self.registry, self._listener)
        return self._context

    @property
    def spark(self) -> "SparkSession":
        return self.context.spark

    def build(self, as_of: str, *, select: Sequence[str] = (), live: bool = False) -> "RunOutcome":
        """Build and publish one as-of; what is already published stays as it is."""
        command = " ".join(["build", "--as-of", as_of, *(f"--select {name}" for name in select)])
        return self._build(command, (given_instant(as_of, "--as-of"),), select, live=live)

    def backfill(self, start: str, end: str, *, every: str = "1d", select: Sequence[str] = ()) -> "RunOutcome":
        """Build start, start + every, … end in one plan over the data."""
        from jobs.run.request import as_of_range

        as_ofs = as_of_range(given_instant(start, "--start"), given_instant(end, "--end"), every)
        words = ["backfill", "--start", start, "--end", end, "--every", every, *(f"--select {name}" for name in select)]
        return self._build(" ".join(words), as_ofs, select, live=False)

    def _build(self, command: str, as_ofs_us: tuple[int, ...], select: Sequence[str], *, live: bool) -> "RunOutcome":
        from jobs.run.request import Request
        from ziggurat.builds import built, import_ahead, unchanged, unread_sources

        request = Request(command=command, as_ofs_us=as_ofs_us, select=tuple(select))
        without_spark = plan_context(self.settings, self.registry)
        if done := unchanged(request, without_spark):
            return done
        for error in unread_sources(without_spark, request):
            self.listener.note(f"not read: {error}")
        import_ahead()
        return built(request, replace(self.context, options=replace(self.context.options, is_live=live)))

    def plan(
        self, as_of: str = "", *, start: str = "", end: str = "", every: str = "1d", select: Sequence[str] = ()
    ) -> "Plan":
        """What a build of as_of, or a backfill from start to end, would do now: step by step, with the reasons.

        Nothing is written, and Spark starts only where tables can't be read without it.
        """
        from jobs.run.request import Request, as_of_range
        from ziggurat.builds import planned

        if bool(as_of) == bool(start or end) or bool(start) != bool(end):
            raise UsageError("a plan is of one as-of or of a range: give --as-of, or --start and --end.")
        if as_of:
            as_ofs: tuple[int, ...] = (given_instant(as_of, "--as-of"),)
        else:
            as_ofs = as_of_range(given_instant(start, "--start"), given_instant(end, "--end"), every)
        request = Request(command="plan", as_ofs_us=as_ofs, select=tuple(select))
        return planned(request, plan_context(self.settings, self.registry), lambda: self.context)

    def retry(self, run: str | None = None) -> "RunOutcome | None":
        """Do again the failed and missing steps of the last failed run (or of `run`); None when no run failed."""
        from jobs.run.history import failed_request
        from ziggurat.builds import built

        request = failed_request(self.context, run)
        return built(request, self.context) if request is not None else None

    def views(self) -> "pd.DataFrame":
        """Every source and view that is declared: name, number of columns, first words of its description."""
        import pandas as pd

        from ziggurat.cli.catalogue import overview

        header, rows = overview(self.registry)
        return pd.DataFrame(rows, columns=header)

    def runs(self) -> "pd.DataFrame":
        """What ran here, newest first: run, started, status, seconds, command."""
        import pandas as pd

        from jobs.run.history import runs

        return pd.DataFrame(runs(self.context), columns=["run", "started", "status", "seconds", "command"])

    def definition(self, name: str) -> Definition:
        return self.registry.get(name)

    def view(self, name: str, *, as_of: str | None = None) -> "DataFrame":
        """A view's published rows: all of them, or the snapshot of one as-of.

        Raises TableMissing before its first build.
        """
        from pyspark.sql import functions as F

        from lakehouse.tables import read

        definition = self.registry.get(name)
        frame = read(self.spark, self.context.warehouse.address(key_of(definition)).path).drop("event_date")
        if as_of is None:
            return frame
        if not definition.is_snapshot:
            raise UsageError(
                f"{key_of(definition)} holds facts, not snapshots; leave as_of out, and filter by event_time."
            )
        at = given_instant(as_of, "as_of")
        snapshot = frame.where((F.unix_micros("event_time") == at) & F.col("superseded_at").isNull())
        if snapshot.isEmpty():
            raise UnknownName(
                f"{key_of(definition)} has no snapshot of {day_or_instant(at)}. Build it: ziggurat build --as-of "
                f"{as_of} --select {definition.name}"
            )
        return snapshot

    def labels(self, label: str, *, start: str = "", end: str = "", beyond_reach: str = "warn") -> "LabelOutcome":
        """Derive a label's spine from the released facts, for label times from start to end (default: all).

        beyond_reach: rows after what a source of events reaches are in the outcome's `warnings`, or refused (`refuse`).
        """
        from jobs.spines.labels import derive_labels

        bounds = {
            name: given_instant(text, name) if text else None for name, text in (("start_us", start), ("end_us", end))
        }
        return derive_labels(self.context, self.registry.label(label), **bounds, beyond_reach=beyond_reach)

    def spine(self, label: str) -> "DataFrame":
        """A derived label's spine: its keys, label_time, and the label, null where the data end too early to tell."""
        from lakehouse.tables import read

        return read(self.spark, self.context.warehouse.spine(self.registry.label(label).name).path)

    def export(self, *, as_of: str, services: Sequence[str] = (), rollback: bool = False) -> "ExportOutcome":
        """Publish the services' features of as_of to the online store: a verified snapshot, then one pointer flip.

        services: names; default: all. Of all, one that can't be published is left out and stands in the outcome's
        `refused`, unless the store answers for it now: then its error is raised, and nothing is published.
        """
        from jobs.export.job import export
        from online_store import open_store

        store = open_store(store_settings(self.settings))
        if not services:
            self._refuse_to_drop_broken(store)
        chosen = [self.registry.service(name) for name in services] or list(self.registry.services)
        return export(
            self.context,
            chosen,
            given_instant(as_of, "as_of"),
            store=store,
            rollback=rollback,
            may_leave_out=not services,
        )

    def _refuse_to_drop_broken(self, store: "OnlineStore") -> None:
        """Raises a problem of the definitions where nothing is left to export, or a service that is served is gone."""
        from jobs.export.job import served_now

        names = {service.name for service in self.registry.services}
        if self.registry.problems and (not names or served_now(store) - names):
            raise self.registry.problems[0]

    def preview(self, view: "Definition | str", *, as_of: str, sample: float = 0.1) -> "DataFrame":
        """What a definition would give on a sample of its facts, computed now from published upstream.

        Nothing is written.
        """
        from jobs.build.preview import preview

        definition = self.registry.get(view) if isinstance(view, str) else view
        if definition.is_delivered:
            raise UsageError(f"'{definition.name}' is a source; preview a view that reads it.")
        return preview(self.context, definition, given_instant(as_of, "as_of"), sample=sample)


def open(
    *,
    conf: str | Path | None = None,
    env: str = "",
    definitions: str = "",
    warehouse: str = "",
    overrides: Sequence[str] = (),
    listener: "Listener | None" = None,
    keep_going: bool = False,
) -> Workspace:
    """Definitions and settings, ready for `build`, `view`, `preview`; nothing is started yet.

    keep_going: modules that can't be imported are named by `registry.problems`, and the others are loaded.
    """
    settings = [
        *overrides,
        *([f"definitions={definitions}"] if definitions else []),
        *([f"warehouse={warehouse}"] if warehouse else []),
    ]
    resolved = resolve(env=env, conf=Path(conf) if conf else None, overrides=settings)
    return Workspace(resolved, load_definitions(resolved.settings.definitions, keep_going=keep_going), listener)


def training_set(
    service: str, spine: "str | DataFrame | pd.DataFrame", *, workspace: Workspace | None = None, **options: Any
) -> "DataFrame":
    """`Workspace.training_set` of the workspace that `open()` finds here, or of the one given."""
    return (workspace or open()).training_set(service, spine, **options)
