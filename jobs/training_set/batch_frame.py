"""Batch frames: the newest known features of all entities, as a model that was trained on the service scores them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from definitions.durations import day_or_instant
from definitions.errors import SpineColumnsError, UsageError
from definitions.registry import key_of
from definitions.services import FeatureService
from jobs.build.continued import computable_rows, continuation_of, continued_rows, named_failures
from jobs.inputs.histories import history_of
from jobs.inputs.reach import BeyondReach, instant_beyond, refuse_beyond, service_reaches
from jobs.inputs.releases import Released, newest_release
from jobs.run.context import Context
from jobs.spines.spine import LABEL_TIME, open_spine
from jobs.training_set.request import TrainingSetRequest
from pit_join import History, evidence_column, join_with_evidence
from pit_join.facts import output_name
from temporal.comparable import quoted
from temporal.instants import instant

STEP = "batch-frame"
"""What the listener calls it."""


def batch_frame(context: Context, request: TrainingSetRequest, as_of_us: int) -> DataFrame:
    """Keys, label_time, the service's features in order, then per view `{view}__age`: seconds since its event time.

    label_time is as_of + the longest publish delay of the service's snapshots: the first instant at which all of them
    are published. Without a list of entities: all that any of the views has seen by then; a service of several entities
    needs the list. Null: nothing is known, and then the age is null, too. Raises ExpressionFailed where a fact that has
    to be derived for it can't be: the frame is evaluated after this returns.
    """
    released, at_us = _released(context, request, as_of_us)
    continuation = continuation_of(context, [request.service], released, until_us=at_us)
    rows = computable_rows(context, continuation, released)
    return _joined(request.service, _sides(context, request, released, rows, at_us))


@contextmanager
def opened_batch_frame(context: Context, request: TrainingSetRequest, as_of_us: int) -> Iterator[DataFrame]:
    """The same rows for a block that evaluates them, joined one view after the other, which the listener is told of.

    What can't be computed is raised here or in the block, and nothing is derived twice. Cost: the values of each view
    are kept in memory, or on the disks of Spark, until the block ends.
    """
    released, at_us = _released(context, request, as_of_us)
    continuation = continuation_of(context, [request.service], released, until_us=at_us)
    with named_failures(context, continuation, released), ExitStack() as kept:
        rows = continued_rows(context, continuation, released)
        sides = _sides(context, request, released, rows, at_us)
        whole = _joined(request.service, sides)  # refuses wrong entities before anything is read
        context.listener.phase(STEP, "listing the entities")
        entities = _kept(sides.entities, kept)
        frame = entities
        context.listener.phase(STEP, "joining")
        total = len(sides.histories)
        for number, history in enumerate(sides.histories):
            context.listener.progress(STEP, number, total, "views")
            frame = frame.join(_kept(_values(entities, history), kept), on=list(history.spine_keys), how="left")
        context.listener.progress(STEP, total, total, "views")
        yield frame.select(*map(quoted, whole.columns))


@dataclass(frozen=True)
class _Sides:
    """entities: with their label time."""

    entities: DataFrame
    histories: Sequence[History]


def _released(context: Context, request: TrainingSetRequest, as_of_us: int) -> tuple[Released, int]:
    """The release, and the instant of all rows; notes, or refuses, one that lies after what a source reaches."""
    released = newest_release(context)
    refuse_unknown_as_of(released, request.service, as_of_us)
    at_us = as_of_us + request.service.publish_delay_us
    beyond = instant_beyond(at_us, service_reaches(context, request.service, released.published))
    if request.beyond_reach == BeyondReach.REFUSE:
        refuse_beyond(beyond, f"the batch frame of {day_or_instant(as_of_us)}")
    for message in beyond:
        context.listener.note(f"warning: {message}")
    return released, at_us


def _sides(
    context: Context, request: TrainingSetRequest, released: Released, rows: Mapping[str, DataFrame], at_us: int
) -> _Sides:
    histories = [
        history_of(context, selection, released, keys=request.keys, rows=rows.get(key_of(selection.view)))
        for selection in request.service.features
    ]
    at = instant(at_us)
    return _Sides(_entities(context, request, histories, at).withColumn(LABEL_TIME, at), histories)


def _joined(service: FeatureService, sides: _Sides) -> DataFrame:
    joined = join_with_evidence(sides.entities, sides.histories, label_time=LABEL_TIME)
    ages = [_age(history) for history in sides.histories if history.event_time is not None]
    columns = [*sides.entities.columns, *(column.name for column in service.columns)]
    return joined.select(*map(quoted, columns), *ages)


def _values(entities: DataFrame, history: History) -> DataFrame:
    """What one view has for the entities: by its keys, its features and their age. A null key has nothing (S17)."""
    keys = list(history.spine_keys)
    spine = entities.select(*map(quoted, keys), LABEL_TIME).dropna().distinct()
    joined = join_with_evidence(spine, [history], label_time=LABEL_TIME)
    ages = [_age(history)] if history.event_time is not None else []
    features = [output_name(history, name) for name in history.features]
    return joined.select(*map(quoted, [*keys, *features]), *ages)


def _kept(frame: DataFrame, until: ExitStack) -> DataFrame:
    """The frame, computed now and kept until the stack is left."""
    frame = frame.persist()
    until.callback(frame.unpersist)
    frame.count()
    return frame


def refuse_unknown_as_of(released: Released, service: FeatureService, as_of_us: int) -> None:
    """Raises UsageError for an as-of that no view has: its frame would silently hold values of an older one."""
    snapshots = [key_of(selection.view) for selection in service.features if selection.is_snapshot]
    name = day_or_instant(as_of_us)
    if snapshots and not any(name in released.published.slices(table) for table in snapshots):
        raise UsageError(
            f"no view of {service.where} has a snapshot of {name}. Build it: ziggurat build --as-of {name}"
        )


def _entities(context: Context, request: TrainingSetRequest, histories: list[History], at: Column) -> DataFrame:
    if not (isinstance(request.spine, str) and not request.spine):
        scratch = context.warehouse.staging(f"entities-{uuid.uuid4().hex[:8]}", "entities")
        entities = open_spine(context, request.spine, types=request.spine_types, scratch=scratch).frame
        if LABEL_TIME in entities.columns:
            raise SpineColumnsError(
                f"the entities have a column {LABEL_TIME}, but a batch frame has one instant for all; leave it out."
            )
        return entities
    keys = [key for key, _ in request.service.keys]
    if any(set(history.spine_keys) != {request.keys.get(key, key) for key in keys} for history in histories):
        raise UsageError(
            f"{request.service.where} has the join keys {' and '.join(keys)}: name the pairs to score with --entities."
        )
    seen = [_seen(history, at) for history in histories if history.event_time is not None]
    return reduce(DataFrame.union, seen).distinct()


def _seen(history: History, at: Column) -> DataFrame:
    """The keys of all facts that were known by then and had not been superseded."""
    known = F.col(history.available_time) <= at if history.available_time else F.lit(True)
    if history.superseded_at:
        ended = F.col(history.superseded_at)
        known = known & (ended.isNull() | (ended > at))
    keys = [F.col(key).alias(name) for key, name in zip(history.keys, history.spine_keys, strict=True)]
    return history.frame.where(known & (F.col(history.event_time or "") <= at)).select(*keys)


def _age(history: History) -> Column:
    """The age of the value in the row; null where it is expired or ended."""
    evidence = evidence_column(history.name)
    event_us = F.when(F.col(f"{evidence}.outcome") == "matched", F.unix_micros(f"{evidence}.event_time"))
    return ((F.unix_micros(LABEL_TIME) - event_us) / F.lit(1_000_000)).alias(f"{history.name}__age")
