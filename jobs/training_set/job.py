"""Training sets: a spine joined point in time to a service's released features; staged, certified, then published."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql.types import TimestampType

from definitions.names import check_name
from jobs.build.continued import Continuation, computable_rows, continuation_of, continued_rows, has_derived
from jobs.inputs.histories import histories_of
from jobs.inputs.reach import BeyondReach, refuse_beyond, rows_beyond, service_reaches
from jobs.inputs.releases import Released, newest_release
from jobs.run.context import Context
from jobs.run.outcome import Status, StepOutcome
from jobs.run.short_runs import recorded
from jobs.spines.spine import LABEL_TIME, newest_label_us, open_spine
from jobs.training_set.build import TrainingSetBuild
from jobs.training_set.manifest import data_key, evidence_key
from jobs.training_set.manifest_files import manifest_of
from jobs.training_set.request import TrainingSet, TrainingSetRequest
from jobs.training_set.rows import rows_of
from lakehouse.leases.leases import LeaseDesk
from lakehouse.tables import TableAddress, remove
from pit_join import Choice, History, explain_join, point_in_time_join

__all__ = [
    "TrainingSet",
    "TrainingSetRequest",
    "build_training_set",
    "explain_training_set",
    "read_training_set",
    "training_frame",
]


def training_frame(context: Context, request: TrainingSetRequest) -> DataFrame:
    """The spine's rows and columns, then the service's features as they were known; nothing is written.

    Null: unseen, expired, or null in the whole row that matched (S16). Raises what `open_spine` and the join do, and
    ExpressionFailed where a fact that has to be derived for it can't be: the frame is evaluated after this returns.
    """
    spine, released = _opened(context, request)
    histories = _histories(context, request, spine, released, computable_rows)
    _note_beyond(context, request, spine, released)
    return point_in_time_join(
        spine, histories, label_time=LABEL_TIME, knowledge=request.knowledge, strategy=request.strategy
    )


def explain_training_set(context: Context, request: TrainingSetRequest) -> list[Choice]:
    """The strategy by which each of the service's views would be joined to this spine, and why; nothing is joined."""
    spine, released = _opened(context, request)
    histories = _histories(context, request, spine, released, continued_rows)
    return explain_join(spine, histories, knowledge=request.knowledge, strategy=request.strategy)


def build_training_set(context: Context, request: TrainingSetRequest, *, name: str) -> TrainingSet:
    """Join, certify and publish; the same spine and release again change nothing (S28).

    An existing set is extended: only what is new or changed is joined, and the rows are those of a set that is built
    at once (S34). Raises NotCertified, and publishes nothing, when a check of its certificate fails.
    """
    check_name(name, "training set")
    begun = time.monotonic()
    table = context.warehouse.address(data_key(name))
    with recorded(context, _command(request, name)) as run:
        desk = LeaseDesk.at(context.warehouse.leases, run_id=run.run_id)
        with desk.acquire_all([table.key, evidence_key(name)]) as leases, run.step(table.key):
            remove(context.warehouse.staging_of(table.key))  # of killed runs: this run holds the lease
            try:
                built = TrainingSetBuild(run.context, request, name, run.run_id, leases).run()
            finally:
                remove(context.warehouse.staging(table.key, run.run_id))
        ended = replace(built, seconds=time.monotonic() - begun)
        run.ended(_step(ended, table))
        run.context.listener.ended(_step(ended, table))
    return ended


def read_training_set(context: Context, name: str, *, version: int | None = None) -> DataFrame:
    """The stored rows at the version that the newest manifest names; `version`: that of an older manifest."""
    return rows_of(context, manifest_of(context.warehouse, name, version))


def _opened(context: Context, request: TrainingSetRequest) -> tuple[DataFrame, Released]:
    scratch = context.warehouse.staging(f"spine-{uuid.uuid4().hex[:8]}", "spine")
    spine = open_spine(context, request.spine, types=request.spine_types, scratch=scratch)
    return spine.frame, newest_release(context)


def _histories(
    context: Context,
    request: TrainingSetRequest,
    spine: DataFrame,
    released: Released,
    derived: Callable[[Context, Continuation, Released], dict[str, DataFrame]],
) -> list[History]:
    """derived: gives the facts of the derived views that end before the newest label time."""
    until_us = newest_label_us(spine) if _has_instants(spine) and has_derived(request.service) else None
    rows = derived(context, continuation_of(context, [request.service], released, until_us=until_us), released)
    return histories_of(context, request.service, released, keys=request.keys, rows=rows)


def _has_instants(spine: DataFrame) -> bool:
    """The join itself refuses a spine without label times."""
    return LABEL_TIME in spine.columns and isinstance(spine.schema[LABEL_TIME].dataType, TimestampType)


def _note_beyond(context: Context, request: TrainingSetRequest, spine: DataFrame, released: Released) -> None:
    if not _has_instants(spine):
        return
    found = service_reaches(context, request.service, released.published)
    beyond = rows_beyond(spine, found, label_time=LABEL_TIME)
    if request.beyond_reach == BeyondReach.REFUSE:
        refuse_beyond(beyond.messages, "the spine")
    for message in beyond.messages:
        context.listener.note(f"warning: {message}")


def _command(request: TrainingSetRequest, name: str) -> str:
    spine = request.spine if isinstance(request.spine, str) else "(a frame)"
    return f"training-set --service {request.service.name} --spine {spine} --out {name}"


def _step(built: TrainingSet, table: TableAddress) -> StepOutcome:
    data = built.manifest.data
    return StepOutcome(
        table=table.key,
        status=Status.UNCHANGED if built.is_unchanged else Status.PUBLISHED,
        rows_in=data.rows,
        rows_out=data.rows,
        seconds=built.seconds,
        version=data.version,
        message="certified" if built.manifest.certificate.is_certified else "not certified",
    )
