"""`zg.open()`: one warehouse with its definitions, from Python and notebooks.

The verbs return DataFrames and outcomes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from definitions.durations import day_or_instant, instant_us
from definitions.errors import DefinitionError, UnknownName, UsageError
from definitions.registry import Registry, key_of
from definitions.views import Definition
from ziggurat.context import open_context, plan_context
from ziggurat.loading import load_definitions
from ziggurat.settings import Resolved, Settings, resolve, store_settings

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

    from jobs.build.plan import Plan
    from jobs.export.job import ExportOutcome
    from jobs.run.context import Context, Listener
    from jobs.run.outcome import RunOutcome
    from jobs.spines.labels import LabelOutcome
    from jobs.training_set.diff import Difference
    from jobs.training_set.job import TrainingSet, TrainingSetRequest
    from jobs.training_set.manifest import Manifest
    from jobs.training_set.verify import Verification
    from pit_join import Choice


class Workspace:
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
        return self._build(command, (_instant(as_of, "--as-of"),), select, live=live)

    def backfill(self, start: str, end: str, *, every: str = "1d", select: Sequence[str] = ()) -> "RunOutcome":
        """Build start, start + every, … end in one plan over the data."""
        from jobs.run.request import as_of_range

        as_ofs = as_of_range(_instant(start, "--start"), _instant(end, "--end"), every)
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
            as_ofs: tuple[int, ...] = (_instant(as_of, "--as-of"),)
        else:
            as_ofs = as_of_range(_instant(start, "--start"), _instant(end, "--end"), every)
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
        at = _instant(as_of, "as_of")
        snapshot = frame.where((F.unix_micros("event_time") == at) & F.col("superseded_at").isNull())
        if snapshot.isEmpty():
            raise UnknownName(
                f"{key_of(definition)} has no snapshot of {day_or_instant(at)}. Build it: ziggurat build --as-of "
                f"{as_of} --select {definition.name}"
            )
        return snapshot

    def labels(self, label: str, *, start: str = "", end: str = "") -> "LabelOutcome":
        """Derive a label's spine from the released facts, for label times from start to end (default: all)."""
        from jobs.spines.labels import derive_labels

        bounds = {name: _instant(text, name) if text else None for name, text in (("start_us", start), ("end_us", end))}
        return derive_labels(self.context, self.registry.label(label), **bounds)

    def spine(self, label: str) -> "DataFrame":
        """A derived label's spine: its keys, label_time, and the label, null where the data end too early to tell."""
        from lakehouse.tables import read

        return read(self.spark, self.context.warehouse.spine(self.registry.label(label).name).path)

    def training_set(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        *,
        keys: Mapping[str, str] | None = None,
        knowledge: str = "at_label",
        strategy: str = "auto",
    ) -> "DataFrame":
        """The spine with the service's features as they were known at each row's label_time; nothing is written.

        spine: join keys, `label_time` and any other columns, which stay: a Spark or pandas frame, a path, a table or
        the name of a label. keys: {"household_id": "customer"} where the spine calls a key otherwise. The features
        follow in the service's order as `{view}__{feature}`; null where nothing was known. As many rows as the spine.
        strategy: auto, sql, arrow or colocated; none changes the answer.
        """
        from jobs.training_set.job import training_frame

        return training_frame(self.context, self._request(service, spine, keys, knowledge, strategy=strategy))

    def explain_training_set(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        *,
        keys: Mapping[str, str] | None = None,
        knowledge: str = "at_label",
        strategy: str = "auto",
    ) -> "list[Choice]":
        """By which strategy each view would be joined, and why; nothing is joined."""
        from jobs.training_set.job import explain_training_set

        return explain_training_set(self.context, self._request(service, spine, keys, knowledge, strategy=strategy))

    def build_training_set(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        *,
        name: str,
        keys: Mapping[str, str] | None = None,
        knowledge: str = "at_label",
        strategy: str = "auto",
        split: str = "",
        split_at: str = "",
        gap: str = "",
        format: str = "delta",
    ) -> "TrainingSet":
        """The same, stored under a name with its manifest and certificate; one that stands is extended.

        split: `0.7,0.15,0.15`, the shares of train, validation and test by label time; or split_at: `T,T`, where
        validation and test begin. Before each boundary a gap is left: the label's horizon, or `gap`. format: parquet
        writes a copy beside the Delta table.
        """
        from jobs.training_set.job import build_training_set
        from jobs.training_set.split import parse_split

        options = {"strategy": strategy, "format": format, "split": parse_split(split, split_at, gap)}
        return build_training_set(self.context, self._request(service, spine, keys, knowledge, **options), name=name)

    def _request(
        self,
        service: str,
        spine: "str | DataFrame | pd.DataFrame",
        keys: Mapping[str, str] | None,
        knowledge: str,
        **options: Any,
    ) -> "TrainingSetRequest":
        from jobs.training_set.job import TrainingSetRequest

        declared = self.registry.service(service)
        return TrainingSetRequest(service=declared, spine=spine, keys=keys or {}, knowledge=knowledge, **options)

    def read_training_set(self, name: str, *, version: int | None = None) -> "DataFrame":
        """The rows of a stored training set, as its manifest names them; version: an older one's."""
        from jobs.training_set.job import read_training_set

        return read_training_set(self.context, name, version=version)

    def verify_training_set(self, manifest: str) -> "Verification":
        """Build one again from its manifest (a name, name@version or path) and compare; `is_same` is the verdict."""
        from jobs.training_set.verify import verify_training_set

        return verify_training_set(self.context, self._manifest(manifest))

    def prove_training_set(self, name: str) -> "Manifest":
        """The leak test: rebuild rows of a training set with its future changed; no cell may differ.

        The result is written into its manifest, certificate and card. Raises FutureLeak when a cell changed.
        """
        from jobs.leak_test.job import leak_test
        from jobs.training_set.leak_tested import record_leak_test

        return record_leak_test(self.context, name, leak_test)

    def diff_training_sets(self, a: str, b: str) -> "Difference":
        """Which cells of two (names, name@version or paths) differ, and why."""
        from jobs.training_set.diff import diff_training_sets

        return diff_training_sets(self.context, self._manifest(a), self._manifest(b))

    def _manifest(self, text: str) -> "Manifest":
        from jobs.training_set.manifest_files import manifest_called
        from lakehouse.tables import Warehouse

        return manifest_called(Warehouse(self.settings.warehouse), text)

    def manifest(self, name: str) -> "Manifest":
        """What a stored training set (a name or name@version) is and came from, with its certificate and card.

        Starts no Spark.
        """
        return self._manifest(name)

    def batch_frame(
        self,
        service: str,
        *,
        as_of: str,
        entities: "str | DataFrame | pd.DataFrame | None" = None,
        keys: Mapping[str, str] | None = None,
    ) -> "DataFrame":
        """What a model scores: the newest known features of all entities, or of those given, when as_of is out.

        Keys, label_time, the features in the service's order, then `{view}__age` in seconds (null: nothing known).
        """
        from jobs.training_set.batch_frame import batch_frame

        request = self._request(service, entities if entities is not None else "", keys, "at_label")
        return batch_frame(self.context, request, _instant(as_of, "as_of"))

    def export(self, *, as_of: str, services: Sequence[str] = (), rollback: bool = False) -> "ExportOutcome":
        """Publish the services' features of as_of to the online store: a verified snapshot, then one pointer flip.

        services: names; default: all. Of all, one that can't be published is left out and stands in the outcome's
        `refused`, unless the store answers for it now: then its error is raised, and nothing is published.
        """
        from jobs.export.job import export
        from online_store import open_store

        chosen = [self.registry.service(name) for name in services] or list(self.registry.services)
        store = open_store(store_settings(self.settings))
        return export(
            self.context, chosen, _instant(as_of, "as_of"), store=store, rollback=rollback, may_leave_out=not services
        )

    def preview(self, view: "Definition | str", *, as_of: str, sample: float = 0.1) -> "DataFrame":
        """What a definition would give on a sample of its facts, computed now from published upstream.

        Nothing is written.
        """
        from jobs.build.preview import preview

        definition = self.registry.get(view) if isinstance(view, str) else view
        if definition.is_delivered:
            raise UsageError(f"'{definition.name}' is a source; preview a view that reads it.")
        return preview(self.context, definition, _instant(as_of, "as_of"), sample=sample)


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


def _instant(text: str, option: str) -> int:
    """An as-of in µs; a wrong one is a mistake of this call, not of a definition."""
    try:
        return instant_us(text, where=option)
    except DefinitionError as error:
        raise UsageError(str(error)) from None
