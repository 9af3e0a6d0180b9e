"""Build a derived view: the partitions that a new as-of or a new load reaches, whole."""

from collections.abc import Sequence
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.duplicates import refusal
from compute.rows import LookedUp, derive
from definitions.durations import day_or_instant, instant_us
from definitions.registry import key_of
from definitions.sources import Source
from definitions.versions import fingerprints
from definitions.views import DerivedView, Lookup
from jobs.build.publish import Draft, Replaces, stage_audit_publish
from jobs.build.staleness import loads
from jobs.run.context import Job
from jobs.run.outcome import StepOutcome
from lakehouse.tables import read
from temporal.instants import event_date, instant
from temporal.order import current_rows
from temporal.versions import with_superseded_at


def rows_of(job: Job, source: Source | DerivedView, *, cut_us: int) -> DataFrame:
    """A source's or derived view's facts known at the cut, with `superseded_at`, from the version this run knows."""
    table = key_of(source)
    rows = read(job.context.spark, job.context.warehouse.address(table).path, version=job.published.version(table))
    if not source.is_delivered:
        return rows.where(F.col("available_time") <= instant(cut_us))
    has_versions = bool(job.published.newest(table).get("has_versions"))
    if source.is_static:
        return current_rows(rows, source.root, has_versions=has_versions)
    return with_superseded_at(
        rows.where(F.col("available_time") <= instant(cut_us)), source.root, has_versions=has_versions
    )


def cut_delay_us(job: Job, view: DerivedView) -> int:
    """A derived view has no cut of its own: it holds what the latest cut among the views built on it needs."""
    registry = job.context.registry
    above = [registry.by_key[key] for key in registry.built_on(key_of(view))] if key_of(view) in registry.by_key else []
    return max(
        [
            view.landing_delay_us,
            *(each.cut_delay_us for each in above),
        ]
    )


def looked_up(job: Job, view: DerivedView, lookup: Lookup, *, cut_us: int) -> LookedUp:
    """A view's look-up with the facts that were known at the cut."""
    return LookedUp(lookup, rows_of(job, lookup.source, cut_us=cut_us), _is_regular(job, view, lookup))


def _is_regular(job: Job, view: DerivedView, lookup: Lookup) -> bool:
    """Known no later than the row that looks it up.

    A constant delay, no longer than the row's, and nothing late or corrected.
    """
    if lookup.source.is_static:
        return True
    known: Any = job.published.newest(key_of(lookup.source))
    is_constant = lookup.source.has_constant_delay and not known.get("has_late") and not known.get("has_versions")
    driver = view.root
    return is_constant and driver.has_constant_delay and lookup.source.landing_delay_us <= driver.landing_delay_us


def build_derived(job: Job, view: DerivedView, as_of_us: int) -> StepOutcome:
    """Everything with event_time < T known at the cut; a build for an earlier T than before finds all of it there."""
    try:
        return _Derivation(job, view, as_of_us).run()
    except PySparkException as error:
        refused = refusal(error)
        if refused is None:
            raise
        raise type(refused)(f"view '{view.name}' v{view.version}: {refused}") from error


def is_derived(job: Job, view: DerivedView, as_of_us: int) -> bool:
    """True when the ledger alone tells that there is nothing to do."""
    known = job.published.newest(key_of(view))
    return (
        bool(known)
        and known["built_to_us"] >= as_of_us
        and known["columns"] == fingerprints(view)
        and known["loads"] == loads(job, view)
    )


class _Derivation:
    def __init__(self, job: Job, view: DerivedView, as_of_us: int) -> None:
        self.job, self.view = job, view
        self.table = key_of(view)
        self.before = job.published.newest(self.table)
        self.as_of_us = max(as_of_us, self.before.get("built_to_us", as_of_us))
        self.delay_us = cut_delay_us(job, view)
        self.cut_us = self.as_of_us + self.delay_us
        self.loads = loads(job, view)

    def run(self) -> StepOutcome:
        if is_derived(self.job, self.view, self.as_of_us):
            return self.job.unchanged(self.table, "nothing new in its sources")
        facts = rows_of(self.job, self.view.source, cut_us=self.cut_us).where(
            F.col("event_time") < instant(self.as_of_us)
        )
        facts = facts.withColumn("event_date", event_date(self.view.root.partition_by))
        counts = self._partitions(facts)
        if not counts:
            return self.job.unchanged(self.table, "no new rows before the as-of")
        wanted = facts.where(F.col("event_date").isin([F.lit(day_or_instant(us)).cast("date") for us in counts]))
        lookups = [looked_up(self.job, self.view, each, cut_us=self.cut_us) for each in self.view.lookups]
        frame = derive(wanted, lookups, self.view).withColumn("event_date", event_date(self.view.root.partition_by))
        regular = all(each.is_regular or each.lookup.source.is_static for each in lookups)
        return stage_audit_publish(
            self.job,
            Draft(
                view=self.view,
                frame=frame,
                keys=self._keys(),
                columns=[*self.view.schema, "superseded_at"],
                slices=sorted(counts),
                slice_of=F.unix_micros(F.col("event_date").cast("timestamp")),
                replaces=Replaces("event_date"),
                extra=self._extra(),
                extra_if_partial=self._partial(),
                inputs={key_of(up): self.job.published.version(key_of(up)) or 0 for up in self.view.upstream},
                rows_in=sum(counts.values()),
                rows_expected=counts if regular else {},
            ),
        )

    def _partitions(self, facts: DataFrame) -> dict[int, int]:
        """The partitions to build with their fact counts: all, or those that hold facts the last build did not know."""
        fresh = F.lit(True)
        if self.before and self.before["columns"] == fingerprints(self.view) and not self._reaches_back():
            built_to = self.before["built_to_us"]
            fresh = (F.col("event_time") >= instant(built_to)) | (
                F.col("available_time") > instant(built_to + self.delay_us)
            )
            if self.view.source.is_delivered:
                fresh = fresh | (F.col("loaded_at") > instant(self.before["loads"].get(key_of(self.view.source), 0)))
        found = (
            facts.groupBy("event_date")
            .agg(F.count(F.lit(1)).alias("rows"), F.count_if(fresh).alias("fresh"))
            .where("fresh > 0")
        )
        return {instant_us(row["event_date"].isoformat()): row["rows"] for row in found.collect()}

    def _reaches_back(self) -> bool:
        """New versions, or look-ups that were not known in time, can change rows of any partition."""
        changed = {key for key, at in self.loads.items() if at != self.before["loads"].get(key)}
        driving = key_of(self.view.source)
        corrected = driving in changed and bool(self.job.published.newest(driving).get("has_versions"))
        irregular = not self.view.source.is_delivered or any(
            not _is_regular(self.job, self.view, each) for each in self.view.lookups
        )
        return corrected or (irregular and bool(changed))

    def _keys(self) -> Sequence[str]:
        return [*self.view.root.identity, "available_time"] if self.view.root.identity else []

    def _extra(self) -> dict[str, Any]:
        return {"built_to_us": self.as_of_us, "loads": self.loads, "columns": fingerprints(self.view)}

    def _partial(self) -> dict[str, Any]:
        """When a partition failed, the next run must look at all that this one did."""
        return {"built_to_us": self.before.get("built_to_us", 0), "loads": self.before.get("loads", {})}
