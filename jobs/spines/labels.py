"""Derive a label: the spine of who was seen when, with what followed, from the tables of the latest release."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from compute.labels import LabelInputs, candidates, label_spine, reach_of_label
from definitions.durations import day_or_instant, instant_text
from definitions.errors import LabelTimeError, NotReleased, UsageError
from definitions.labels import AtStart, Label
from definitions.registry import key_of
from definitions.sources import Source
from definitions.versions import fingerprints
from jobs.inputs.reach import (
    BeyondReach,
    RowsBeyond,
    parse_beyond_reach,
    reaches,
    refuse_beyond,
    rows_beyond,
)
from jobs.run.context import Context
from jobs.run.outcome import Status, StepOutcome
from jobs.run.published import PublishedState
from jobs.run.short_runs import recorded
from lakehouse.commit_notes import CommitNote, SliceNote
from lakehouse.commits import replace_all, stage
from lakehouse.leases.leases import Lease, LeaseDesk
from lakehouse.ledger.ledger import Ledger, Release
from lakehouse.tables import TableAddress, history, read, remove
from quality.measure import SLICE, measure
from temporal.order import current_rows
from temporal.versions import with_superseded_at

WHOLE = "spine"  # the one slice of a spine's table


@dataclass(frozen=True, kw_only=True)
class LabelOutcome:
    """A derived label. `rows` = positives (true) + unknown (null: the data end too early) + those that are false.

    not_seen: members of an AtStart that are not in the spine, as they had not been seen before t. label_times are
    those that have a row; first_us and last_us the ends of them. reach_us: how far the facts of the label's source
    reach, the end of the data for its outcomes. inputs: table keys at the versions read, which
    `release` names. is_unchanged: the spine that stands, at `version`, is this one. warnings: of rows after what a
    source of events reaches.
    """

    label: Label
    path: str
    version: int
    rows: int
    positives: int
    unknown: int
    not_seen: int
    label_times: int
    first_us: int
    last_us: int
    reach_us: int | None
    release: int
    inputs: Mapping[str, int]
    is_unchanged: bool
    seconds: float
    warnings: tuple[str, ...] = ()


def derive_labels(
    context: Context,
    label: Label,
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    beyond_reach: str = BeyondReach.WARN,
) -> LabelOutcome:
    """Write `spines/<label>`, whole and in one commit, if it differs from what stands there (S28).

    start_us and end_us limit label times, both included. Raises before anything is written: UsageError for limits the
    wrong way round, NotReleased for a source that no build has released, LeaseHeld, and LabelTimeError for a spine
    without a row, and, where beyond_reach is refuse, for rows after what a source of events reaches. A label that
    means something else now replaces its spine, columns included; training sets keep their own copy of the spine they
    were made from.
    """
    if start_us is not None and end_us is not None and end_us < start_us:
        raise UsageError(
            f"{label.where}: the last label time {day_or_instant(end_us)} lies before the first "
            f"{day_or_instant(start_us)}; swap the two."
        )
    is_strict = parse_beyond_reach(beyond_reach) is BeyondReach.REFUSE
    begun = time.monotonic()
    table = context.warehouse.spine(label.name)
    with (
        recorded(context, _command(label, start_us, end_us)) as run,
        LeaseDesk.at(context.warehouse.leases, run_id=run.run_id).acquire(table.key) as lease,
    ):
        derivation = _Derivation(run.context, label, table, lease, start_us, end_us, is_strict=is_strict)
        with run.step(table.key):
            try:
                outcome = replace(derivation.run(), seconds=time.monotonic() - begun)
            finally:
                remove(context.warehouse.staging_of(run.run_id))
        run.ended(_step(outcome, table))
    return outcome


def _command(label: Label, start_us: int | None, end_us: int | None) -> str:
    limits = [("--start", start_us), ("--end", end_us)]
    words = [f"{option} {day_or_instant(us)}" for option, us in limits if us is not None]
    return " ".join(["labels", label.name, *words])


def _step(outcome: LabelOutcome, table: TableAddress) -> StepOutcome:
    return StepOutcome(
        table=table.key,
        status=Status.UNCHANGED if outcome.is_unchanged else Status.PUBLISHED,
        rows_out=outcome.rows,
        version=outcome.version,
        seconds=outcome.seconds,
        message=f"'{outcome.label.source.name}' reaches {instant_text(outcome.reach_us)}" if outcome.reach_us else "",
    )


class _Derivation:
    def __init__(
        self,
        context: Context,
        label: Label,
        table: TableAddress,
        lease: Lease,
        start_us: int | None,
        end_us: int | None,
        *,
        is_strict: bool,
    ) -> None:
        self.is_strict = is_strict
        self.context, self.label, self.table, self.lease = context, label, table, lease
        self.limits = {"start_us": start_us, "end_us": end_us}
        ledger = Ledger.open(context.spark, context.warehouse)
        self.release, self.inputs = _released(ledger.latest_release(), label)
        self.published = PublishedState(ledger.state())

    def run(self) -> LabelOutcome:
        standing = self._standing()
        if standing is not None and self._is_made_of_the_same(standing[1]):
            version, note = standing
            spine = read(self.context.spark, self.table.path, version=version)
            beyond = self._beyond(spine)
            return self._outcome(spine, note.extra, beyond, version=version, is_unchanged=True)
        return self._derived(standing)

    def _is_made_of_the_same(self, note: CommitNote) -> bool:
        """The same table versions, meaning and limits give the same rows."""
        limits = {name: note.extra.get(name) for name in self.limits}
        made_of = (note.fingerprint, note.inputs, limits)
        return {"not_seen", "reach_us"} <= set(note.extra) and made_of == (
            _meaning(self.label),
            self.inputs,
            self.limits,
        )

    def _derived(self, standing: "tuple[int, CommitNote] | None") -> LabelOutcome:
        facts = self._facts()
        self._doing("computing")
        staged = stage(
            label_spine(self.label, facts, **self.limits),
            self.context.warehouse.staging(self.lease.run_id, self.label.name),
            partition_by=[],
        )
        spine = read(self.context.spark, staged.path, version=staged.version)
        self._doing("measuring")
        columns = [*self.label.key_names, "label_time", self.label.column]
        slices = measure(spine.withColumn(SLICE, F.lit(0)), keys=[], profiled=[SLICE], hashed=columns).hashes
        if not slices:
            raise LabelTimeError(self._no_rows())
        content = SliceNote(slices[0].rows, slices[0].hex)
        beyond = self._beyond(spine)
        not_seen = self._members(facts) - content.rows if isinstance(self.label.at, AtStart) else 0
        note = self._note(content, not_seen, facts.reach)
        is_unchanged = standing is not None and _content(standing[1]) == _content(note)
        if standing is not None and is_unchanged:
            version = standing[0]
        else:
            self._doing("publishing")
            version = replace_all(self.context.spark, spine, self.table, lease=self.lease, note=note).version
        return self._outcome(spine, note.extra, beyond, version=version, is_unchanged=is_unchanged)

    def _beyond(self, spine: DataFrame) -> RowsBeyond:
        """The rows of which the label's source, or the one in which entities are seen, may not have had all facts."""
        sources = (self.label.source, self.label.seen)
        found = reaches(sources, self.published, may_lag=self.context.options.data_may_lag)
        beyond = rows_beyond(spine, found, label_time="label_time")
        if self.is_strict:
            refuse_beyond(beyond.messages, self.label.where)
        return beyond

    def _facts(self) -> LabelInputs:
        label = self.label
        source = self._rows(label.source)
        seen = source if label.seen is label.source else self._rows(label.seen)
        reach = reach_of_label(label, source)
        if isinstance(label.at, AtStart):
            return LabelInputs(source, seen, self._rows(label.at.source), self._rows(label.at.members), reach=reach)
        return LabelInputs(source, seen, reach=reach)

    def _rows(self, source: Source) -> DataFrame:
        """Every version of its facts in the release; of a static source its rows."""
        table = key_of(source)
        rows = read(self.context.spark, self.context.warehouse.address(table).path, version=self.inputs[table])
        # Not known after the ledger was lost: then the facts are compared.
        has_versions = self.published.newest(table).has_versions
        if source.is_static:
            return current_rows(rows, source, has_versions=has_versions)
        return with_superseded_at(rows, source, has_versions=has_versions)

    def _members(self, facts: LabelInputs) -> int:
        """All entities that an AtStart names, seen before it or not."""
        return candidates(self.label, facts, **self.limits).count()

    def _standing(self) -> tuple[int, CommitNote] | None:
        """The newest version with its note; None for no table, or one with a commit that is not ours."""
        newest = next(iter(history(self.context.spark, self.table.path, limit=1)), None)
        note = CommitNote.from_json(newest.user_metadata) if newest else None
        return (newest.version, note) if newest and note else None

    def _note(self, content: SliceNote, not_seen: int, reach_us: int | None) -> CommitNote:
        return CommitNote(
            run_id=self.lease.run_id,
            view=self.table.key,
            fingerprint=_meaning(self.label),
            inputs=self.inputs,
            slices={WHOLE: content},
            extra={"release": self.release, "not_seen": not_seen, "reach_us": reach_us, **self.limits},
        )

    def _outcome(
        self,
        spine: DataFrame,
        recorded: Mapping[str, Any],
        beyond: RowsBeyond,
        *,
        version: int,
        is_unchanged: bool,
    ) -> LabelOutcome:
        value, at = F.col(self.label.column), F.unix_micros("label_time")
        counts = spine.agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_if(value).alias("positives"),
            F.count_if(value.isNull()).alias("unknown"),
            F.count_distinct(at).alias("label_times"),
            F.min(at).alias("first_us"),
            F.max(at).alias("last_us"),
        ).collect()[0]
        return LabelOutcome(
            label=self.label,
            path=self.table.path,
            version=version,
            not_seen=recorded["not_seen"],
            reach_us=recorded["reach_us"],
            release=self.release,
            inputs=self.inputs,
            is_unchanged=is_unchanged,
            warnings=beyond.messages,
            seconds=0.0,
            **counts.asDict(),
        )

    def _no_rows(self) -> str:
        start, end = (day_or_instant(us) if us is not None else "" for us in self.limits.values())
        between = f" from {start or 'the first'} to {end or 'the last'}" if start or end else ""
        return (
            f"{self.label.where}: no label time{between} has an entity that was seen before it in "
            f"'{self.label.seen.name}'. Choose others, or build with more data; nothing was written."
        )

    def _doing(self, what: str) -> None:
        self.context.listener.phase(self.table.key, what)


def _released(release: Release | None, label: Label) -> tuple[int, dict[str, int]]:
    """The release's id, and the versions in it of all that the label reads."""
    at = (label.at.source, label.at.members) if isinstance(label.at, AtStart) else ()
    wanted = {key_of(source): source for source in (label.source, label.seen, *at)}
    views = release.views if release is not None else {}
    if release is None or (missing := [key for key in wanted if key not in views]):
        missing = missing if release is not None else list(wanted)
        selects = " ".join(f"--select {wanted[key].name}" for key in missing)
        raise NotReleased(
            f"{label.where} reads {', '.join(missing)}, and no release has "
            f"{'it' if len(missing) == 1 else 'them'}. Build first: ziggurat build --as-of … {selects}"
        )
    return release.release_id, {key: views[key]["version"] for key in wanted}


def _content(note: CommitNote) -> tuple[Any, ...]:
    """Two spines are the same when their rows are, and the meaning of their columns."""
    return note.fingerprint, note.slices


def _meaning(label: Label) -> str:
    """A digest of all that decides its columns and rows; owner, words and limits are no part of it (S35)."""
    read_by = [(label.source, label.key_names), (label.seen, label.seen_by)]
    times: list[Any] = [repr(label.at)]
    if isinstance(label.at, AtStart):
        times = list(label.at.on)
        read_by += [(source, tuple(source.schema)) for source in (label.at.source, label.at.members)]
    facts = [{name: fingerprints(source).get(name) for name in columns} for source, columns in read_by]
    meaning = [label.keys, label.column, label.horizon_us, label.is_absence, times, facts]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()[:16]
