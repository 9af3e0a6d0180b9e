"""Ingest: what was delivered, into raw. Append-only; unusable rows go to quarantine; counts are reconciled (S31)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import reduce

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute import arrival, delivery
from compute.ahead import AHEAD_OF_KNOWN, with_corrections
from compute.delivered_schema import require_columns
from compute.failures import Probe, explained, is_data_failure
from compute.reach import EventDay, event_days, not_ahead, reach_us
from definitions.clocks import LandingDelay
from definitions.columns import Column
from definitions.durations import instant_text, instant_us, to_datetime, to_us
from definitions.errors import (
    DefinitionChanged,
    SourceError,
    StaticSourceChanged,
    TooManyQuarantined,
)
from definitions.registry import key_of
from definitions.sources import Source
from definitions.versions import fingerprints, meaning_of
from jobs.build.looks import looked_at_us, record_looks
from jobs.build.plan import PlannedStep
from jobs.build.raw_state import known_raw_state
from jobs.build.small import collected
from jobs.run.context import Job
from jobs.run.outcome import Status, StepOutcome
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.commits import crash_point, stage
from lakehouse.files.deliveries import open_delivery
from lakehouse.files.read_errors import as_read_error
from lakehouse.files.records import FILE, ORIGINAL, Records
from lakehouse.ledger.records import PUBLISHED, UNCHANGED, SliceRecord
from lakehouse.small_tables import append_frame, read_rows
from lakehouse.storage_errors import translated_storage_errors
from lakehouse.table_state import RawState, TableState
from lakehouse.tables import current_version, read, remove
from lakehouse.writer import MOST_ROWS
from temporal.instants import event_date


@dataclass(frozen=True)
class Counts:
    """rows_in = kept + again + quarantined, always. days: those of the usable rows."""

    rows_in: int
    usable: int
    quarantined: Mapping[str, int]
    days: Sequence[EventDay] = ()
    kept: int = 0
    has_late: bool = False
    has_versions: bool = False

    @property
    def newest_event_us(self) -> int | None:
        return max((day.last_us for day in self.days), default=None)

    @property
    def again(self) -> int:
        return self.rows_in - self.kept - sum(self.quarantined.values())


def ingest(job: Job, source: Source, step: PlannedStep) -> StepOutcome:
    """Bring the step's delivery into `raw/<name>/v<N>`."""
    location, (delivered,) = job.context.locations[source.name], step.slices
    staging = job.context.warehouse.staging(job.run_id, source.name)
    scratch = f"{staging}.delivered"
    ingesting = _Ingest(job, source, delivered)
    try:
        records = open_delivery(
            job.context.spark,
            source.name,
            location,
            scratch=scratch,
            delivered=delivered,
            columns=source.delivered_names,
        )
        return ingesting.run(records)
    except (PySparkException, Py4JError) as error:  # the second where Spark knows no class for the cause
        failure = as_read_error(error, source.name, location) or ingesting.failure(error)
        if failure is None:
            raise
        raise failure from error
    finally:
        remove(scratch)
        remove(staging)


def _load(job: Job, source: Source, before: RawState | None) -> arrival.Load:
    """This load, later than the one before whatever the clock says: loads are told apart by their instants."""
    now = job.context.clock()
    if before is None:
        return arrival.Load(now, None)
    last_us = looked_at_us(job.context.warehouse, source, loaded_at_us=before.loaded_at_us)
    return arrival.Load(to_datetime(max(to_us(now), before.loaded_at_us + 1)), to_datetime(last_us))


class _Ingest:
    """One delivery of one source, from files to the commit."""

    def __init__(self, job: Job, source: Source, delivered: str) -> None:
        self.job, self.source, self.delivered = job, source, delivered
        self.table = job.context.warehouse.address(key_of(source))
        self.spark = job.context.spark
        self.before = known_raw_state(job, source)
        self.is_recorded = job.published.newest(self.table.key).raw is not None
        self.load = _load(job, source, self.before)
        self.typed: DataFrame | None = None
        self.new_columns: tuple[Column, ...] = ()

    def failure(self, error: BaseException) -> SourceError | None:
        """The error to raise where a computed column failed on a value; None where it did not."""
        rows = self.typed
        if rows is None or not is_data_failure(error):
            return None
        probes = [Probe(name, text.text, F.col(name), rows) for name, text in self.source.computed.items()]
        return explained(probes, where=self.source.where, keys=self.source.identity)

    def run(self, delivered: Sequence[Records]) -> StepOutcome:
        for records in delivered:
            require_columns(records, self.source)
        parts = [delivery.typed(records, self.source, loaded_at=self.load.at) for records in delivered]
        rows = self.typed = reduce(DataFrame.unionByName, parts)
        self._doing("checking rows")
        counts = self._count(rows)
        if AHEAD_OF_KNOWN in counts.quarantined:
            rows = with_corrections(rows, self.source, self._known(), reason=delivery.REASON)
            counts = self._count(rows)
        self._refuse_too_many_invalid(counts)
        if counts.quarantined:
            self._quarantine(rows)
        usable = rows.where(F.col(delivery.REASON).isNull()).drop(delivery.REASON, ORIGINAL, FILE)
        fresh, counts = self._first(usable, counts) if not self.before else self._later(usable, counts)
        # Also without rows, a first delivery leaves a table, and one under new columns leaves these: what reads them
        # finds nothing then, and does not fail.
        is_written = bool(counts.kept or not self.before or self.new_columns)
        version = self._append(fresh, counts) if is_written else current_version(self.spark, self.table.path)
        record_looks(self.job.context.warehouse, [self.source], self.load.at)
        return self._outcome(counts, version, is_written=is_written)

    def _count(self, rows: DataFrame) -> Counts:
        """One pass: rows by reason, and those without one by their day."""
        is_timed = self.source.event_time is not None
        at = F.unix_micros("event_time") if is_timed else F.lit(None).cast("bigint")
        day = F.to_date("event_time") if is_timed else F.lit(None).cast("date")
        grouped = rows.groupBy(delivery.REASON, F.when(F.col(delivery.REASON).isNull(), day).alias("day"))
        counted = grouped.agg(F.min(at).alias("first"), F.max(at).alias("last"), F.count(F.lit(1)).alias("rows"))
        groups = counted.collect()
        usable = [group for group in groups if group[delivery.REASON] is None]
        return Counts(
            rows_in=sum(group["rows"] for group in groups),
            usable=sum(group["rows"] for group in usable),
            quarantined={group[delivery.REASON]: group["rows"] for group in groups if group[delivery.REASON]},
            days=[EventDay(group["first"], group["last"], group["rows"]) for group in usable if is_timed],
        )

    def _known(self) -> DataFrame | None:
        """What raw holds; None before the first load."""
        return read(self.spark, self.table.path) if self.before else None

    def _refuse_too_many_invalid(self, counts: Counts) -> None:
        bad = sum(counts.quarantined.values())
        # Divided, not multiplied: 0.29 * 100 is less than 29.
        if bad and bad / counts.rows_in > self.source.max_quarantined_share:
            reasons = "; ".join(
                f"{rows:,} × {reason}"
                for reason, rows in sorted(counts.quarantined.items(), key=lambda item: -item[1])[:3]
            )
            raise TooManyQuarantined(
                f"source '{self.source.name}': {bad:,} of {counts.rows_in:,} rows can't be used ({reasons}), more than "
                f"its max_quarantined_share of {self.source.max_quarantined_share:.0%}. Nothing was written; correct "
                "the delivery, or raise the share in its definition."
            )

    def _quarantine(self, rows: DataFrame) -> None:
        """Reason and original content; the delivery's rows replace those of an attempt that was cut short."""
        self._doing("writing quarantine")
        bad = rows.where(F.col(delivery.REASON).isNotNull()).select(
            F.lit(self.delivered).alias("delivery"),
            F.lit(self.job.run_id).alias("run_id"),
            F.lit(self.load.at).alias("loaded_at"),
            F.col(delivery.REASON).alias("reason"),
            F.col(ORIGINAL).alias("original"),
            F.col(FILE).alias("file"),
        )
        path = self.job.context.warehouse.quarantine(self.source.name).path
        with translated_storage_errors(path):
            bad.write.format("delta").mode("overwrite").option("replaceWhere", f"delivery = '{self.delivered}'").save(
                path
            )
        crash_point("after_quarantine", self.table.key)

    def _first(self, usable: DataFrame, counts: Counts) -> tuple[DataFrame, Counts]:
        """The first load: nothing is known yet, so only the delivery itself can repeat a fact."""
        facts, repeated = self._identities(usable)
        fresh = arrival.new_rows(usable, None, self.source, repeats=repeated > 0)
        kept = fresh.count() if repeated else counts.usable
        trusted = self.source.available.first_load_until if isinstance(self.source.available, LandingDelay) else ""
        late = bool(trusted) and (counts.newest_event_us or 0) >= instant_us(trusted)
        return arrival.with_available_time(fresh, self.source, self.load, known=None), replace(
            counts, kept=kept, has_late=late, has_versions=bool(repeated) and kept > facts
        )

    def _identities(self, usable: DataFrame) -> tuple[int, int]:
        """How many facts there are, and how many of them the delivery names more than once."""
        if not self.source.identity:
            return 0, 0
        per_fact = usable.groupBy(*self.source.identity).agg(F.count(F.lit(1)).alias("n"))
        counts = per_fact.agg(F.count(F.lit(1)).alias("facts"), F.count_if(F.col("n") > 1).alias("repeated")).first()
        return (counts["facts"], counts["repeated"]) if counts else (0, 0)

    def _later(self, usable: DataFrame, counts: Counts) -> tuple[DataFrame, Counts]:
        """A later load: staged once, since what is new takes a comparison with everything that raw holds."""
        self._doing("comparing with what is known")
        known = self._known_under_new_columns()
        fresh = arrival.new_rows(usable, known, self.source, repeats=True)
        fresh = self._pinned(arrival.with_available_time(fresh, self.source, self.load, known=known), counts)
        totals = fresh.agg(F.count(F.lit(1)).alias("kept"), F.count_if("_late").alias("late")).first()
        kept, late = (totals["kept"], totals["late"]) if totals else (0, 0)
        if self.source.is_static:
            self._refuse_change(usable, known, kept)
        before = self.before or RawState()
        has_versions = before.has_versions or (kept > 0 and self._makes_versions(known, fresh))
        if self.source.event_time and (kept or before.reach_us is None):
            names = [name for name in known.columns if name in fresh.columns]
            counts = replace(
                counts, days=event_days(not_ahead(known.select(names).union(fresh.select(names)), self.source))
            )
        return fresh, replace(counts, kept=kept, has_late=before.has_late or late > 0, has_versions=has_versions)

    def _known_under_new_columns(self) -> DataFrame:
        """Raw's rows, with null in the columns that were declared since."""
        known = read_rows(self.spark, self.table.path, version=None)
        self.new_columns = tuple(c for c in self.source.columns if c.name not in known.columns)
        if self.new_columns and not (self.source.identity and self.source.event_time):
            names = ", ".join(column.name for column in self.new_columns)
            raise DefinitionChanged(
                f"source '{self.source.name}' declares {names}, which raw does not hold, and has no "
                f"{'clock' if self.source.is_static else 'identity'}: its rows can't be told from new ones. Declare "
                f"it with version={self.source.version + 1} (both versions live side by side)."
            )
        return known.withColumns({c.name: F.lit(None).cast(c.type) for c in self.new_columns})

    def _pinned(self, stamped: DataFrame, counts: Counts) -> DataFrame:
        """The rows as they are now, whatever happens to their sources: collected where they are few, else staged."""
        rows = collected(stamped, self.source.name) if counts.usable <= MOST_ROWS else None
        if rows is not None:
            return self.spark.createDataFrame(rows)
        staged = stage(stamped, self.job.context.warehouse.staging(self.job.run_id, self.source.name), partition_by=[])
        return read(self.spark, staged.path, version=staged.version)

    def _refuse_change(self, usable: DataFrame, known: DataFrame, kept: int) -> None:
        columns = [c.name for c in self.source.columns]
        gone = known.select(*columns).exceptAll(usable.select(*columns).distinct()).limit(1).count()
        if kept or gone:
            raise StaticSourceChanged(
                f"source '{self.source.name}' is declared static, but its content changed since it was loaded "
                f"({kept:,} rows are new{', others are gone' if gone else ''}). "
                f"Give it a clock as version={self.source.version + 1} (kind=STATE with an event_time), or deliver the "
                "old content (S10)."
            )

    def _makes_versions(self, known: DataFrame, fresh: DataFrame) -> bool:
        if not self.source.identity:
            return False
        identity = list(self.source.identity)
        both = known.select(*identity).unionByName(fresh.select(*identity))
        return not both.groupBy(*identity).count().where("count > 1").isEmpty()

    def _append(self, fresh: DataFrame, counts: Counts) -> int:
        self._doing("writing")
        rows = fresh.drop("_late")
        partition_by = []
        if self.source.event_time is not None:
            partition_by = ["event_date"]
            # One task per partition: else every task would leave a small file in each of them.
            rows = rows.withColumn("event_date", event_date(self.source.partition_by)).repartition("event_date")
        note = CommitNote(
            run_id=self.job.run_id,
            view=self.table.key,
            fingerprint=meaning_of(self.source),
            slices={self.delivered: SliceNote(counts.kept, "")},
            extra=self._state(counts).to_json(),
        )
        lease = self.job.leases[self.table.key]
        return append_frame(self.spark, rows, self.table, partition_by=partition_by, lease=lease, note=note).version

    def _state(self, counts: Counts) -> TableState:
        before = self.before
        newest = [counts.newest_event_us, before.newest_event_us if before else None]
        # A delivery that brought nothing new is no load: what was built from raw is still built from all of it.
        is_idle = before and self.is_recorded and not counts.kept
        loaded_at_us = before.loaded_at_us if before and is_idle else to_us(self.load.at.astimezone(UTC))
        reach = before.reach_us if before and not counts.kept else None
        raw = RawState(
            loaded_at_us=loaded_at_us,
            rows_in=counts.rows_in,
            again=counts.again,
            quarantined=dict(counts.quarantined),
            has_versions=counts.has_versions,
            has_late=counts.has_late,
            newest_event_us=max((us for us in newest if us), default=None),
            reach_us=reach_us(counts.days, loaded_at_us=loaded_at_us) if reach is None else reach,
            rewritten_at_us=before.rewritten_at_us if before and self.is_recorded else loaded_at_us,
        )
        return TableState(columns=fingerprints(self.source), raw=raw)

    def _outcome(self, counts: Counts, version: int | None, *, is_written: bool) -> StepOutcome:
        status = PUBLISHED if is_written else UNCHANGED
        state = self._state(counts)
        record = SliceRecord(self.table.key, self.delivered, status, counts.kept, table_version=version, state=state)
        remarks = [f"{counts.again:,} delivered again"] if counts.again else []
        remarks += [f"{sum(counts.quarantined.values()):,} quarantined"] if counts.quarantined else []
        remarks += [f"reaches {instant_text(state.reach_us)}"] if state.reach_us is not None else []
        return StepOutcome(
            table=self.table.key,
            status=Status(status),
            rows_in=counts.rows_in,
            rows_out=counts.kept,
            version=version,
            message=", ".join(remarks),
            slices=(record,),
            quarantined=counts.quarantined,
            detail=state.figures,
        )

    def _doing(self, what: str) -> None:
        self.job.context.listener.phase(self.table.key, what)
