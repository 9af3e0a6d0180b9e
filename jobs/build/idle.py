"""A run that finds nothing to do: what is published, and released, is what it would build."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from definitions.views import Definition
from jobs.build.kinds import steps_of_nothing
from jobs.build.plan import PlannedStep, PlanState
from jobs.build.stale import stale_notes
from jobs.run.outcome import RunOutcome, Status, StepOutcome
from jobs.run.published import PublishedState
from jobs.run.request import Request
from lakehouse.ledger.ledger import Release


def unchanged(published: PublishedState, step: PlannedStep) -> StepOutcome:
    """The outcome of a step with nothing to do: what is published is what would be built."""
    return StepOutcome(
        table=step.table,
        status=Status.UNCHANGED,
        rows_in=0,
        rows_out=published.rows(step.table),
        version=published.version(step.table),
        message=step.remark or step.reason,
    )


def unchanged_run(
    state: PlanState,
    selected: Sequence[Definition],
    request: Request,
    outcome: RunOutcome,
    latest_release: Callable[[], Release | None],
    begun: float,
) -> RunOutcome | None:
    """The outcome of a run whose plan has nothing to do and whose tables are all released; None for any other."""
    steps = steps_of_nothing(state, selected, request)
    if not steps:
        return None
    release = latest_release()
    if not state.published.is_released_as(release):
        return None
    return replace(
        outcome,
        steps=tuple(unchanged(state.published, step) for step in steps),
        seconds=time.monotonic() - begun,
        release=release.release_id if release else None,
        notes=stale_notes(state, selected, request),
    )
