"""The kinds of definition: for each, the function that plans its step and the one that executes it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, cast

from definitions.durations import day_or_instant
from definitions.registry import key_of
from definitions.sources import Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView
from jobs.build.derived_plan import plan_derived
from jobs.build.plan import Action, Plan, PlannedStep, PlanState, UpstreamEnd
from jobs.build.planners import missing_as_ofs, plan_snapshot, plan_source
from jobs.run.request import Request
from lakehouse.reader import NeedsSpark

if TYPE_CHECKING:
    from jobs.run.context import Job
    from jobs.run.outcome import StepOutcome


@dataclass(frozen=True, kw_only=True)
class BuildKind:
    """plan(state, definition, request, failed as-ofs) and, by its name, the builder: build(job, definition, step).

    A builder is imported when a step is executed: with it come Spark's functions and the checks, which a plan
    does not use.
    """

    plan: Callable[[PlanState, Any, Request, frozenset[int]], PlannedStep]
    builder: str

    @property
    def build(self) -> "Callable[[Job, Any, PlannedStep], StepOutcome]":
        return cast("Callable[[Job, Any, PlannedStep], StepOutcome]", resolve_name(self.builder))


KINDS: Mapping[type[Definition], BuildKind] = {
    Source: BuildKind(plan=plan_source, builder="jobs.build.ingest:ingest"),
    DerivedView: BuildKind(plan=plan_derived, builder="jobs.build.derived:build_derived"),
    AggregateView: BuildKind(plan=plan_snapshot, builder="jobs.build.snapshots:build_aggregate"),
    CrossEntityView: BuildKind(plan=plan_snapshot, builder="jobs.build.snapshots:build_cross_entity"),
}


def plan_step(
    state: PlanState, definition: Definition, request: Request, upstream: Mapping[str, UpstreamEnd]
) -> PlannedStep:
    """What one step has to do, given how all that it reads has ended; UNDECIDED while that is not settled."""
    ends = {key_of(up): upstream[key_of(up)] for up in definition.upstream}
    if blocked := blocked_step(definition, request, ends):
        return blocked
    waits_for = [key for key, end in ends.items() if not end.is_settled]
    if waits_for:
        return _undecided(state, definition, request, f"after {', '.join(waits_for)}")
    partly = {key: end.failed_slices for key, end in ends.items() if end.is_partly_usable}
    failed: frozenset[int] = frozenset().union(*partly.values())
    step = KINDS[type(definition)].plan(state, definition, request, failed)
    return replace(step, remark=f"{len(failed)} as-ofs blocked: {', '.join(partly)} failed there") if failed else step


def planned_steps(
    state: PlanState, selected: Sequence[Definition], request: Request, unrecorded: Collection[str] = ()
) -> Iterator[PlannedStep]:
    """Every step before any has run, each after what it reads; one that needs Spark to be planned is UNDECIDED.

    unrecorded: tables with commits that the ledger does not know; a build looks at those first.
    """
    ends: dict[str, UpstreamEnd] = {}
    for definition in selected:
        try:
            step = plan_step(state, definition, request, ends)
        except NeedsSpark as why:
            what = "list its files" if definition.is_delivered else "count its rows"
            step = _undecided(state, definition, request, f"Spark has to {what} ({why})")
        if step.action is Action.NOTHING and step.table in unrecorded:
            step = _undecided(state, definition, request, "it has commits that are not in the ledger")
        ends[step.table] = _end(step)
        yield step


def plan(
    state: PlanState,
    selected: Sequence[Definition],
    request: Request,
    *,
    notes: Sequence[str] = (),
    unrecorded: Collection[str] = (),
) -> Plan:
    steps = tuple(planned_steps(state, selected, request, unrecorded))
    return Plan(command=request.command, as_of=request.as_of, steps=steps, notes=tuple(notes))


def steps_of_nothing(
    state: PlanState, selected: Sequence[Definition], request: Request
) -> tuple[PlannedStep, ...] | None:
    """The steps if none has anything to do, else None as soon as one has.

    Raises the error of the first source that is missing or can't be read, where there is nothing else to do.
    """
    steps, unread = [], []
    for definition, step in zip(selected, planned_steps(state, selected, request), strict=False):
        if definition.is_delivered and step.error is not None:
            unread.append(step.error)
        elif step.action is not Action.NOTHING and not (unread and step.action is Action.BLOCKED):
            return None
        steps.append(step)
    if unread:
        raise unread[0]
    return tuple(steps)


def _end(step: PlannedStep) -> UpstreamEnd:
    failures = {Action.BLOCKED: "is blocked", Action.REFUSED: "is refused"}
    return UpstreamEnd(is_settled=step.action is Action.NOTHING, failure=failures.get(step.action, ""))


def blocked_step(definition: Definition, request: Request, ends: Mapping[str, UpstreamEnd]) -> PlannedStep | None:
    """A view is not built from older rows of what failed before it (S13). ends: its upstream's, and perhaps others'."""
    for key in map(key_of, definition.upstream):
        end = ends[key]
        is_whole = end.failure and not end.is_partly_usable
        if is_whole or end.failed_slices >= frozenset(request.as_ofs_us):
            reason = f"{key} {end.failure}"
            return PlannedStep(table=key_of(definition), action=Action.BLOCKED, reason=reason)
    return None


def _undecided(state: PlanState, definition: Definition, request: Request, reason: str) -> PlannedStep:
    """Its slices are the as-ofs that are missing, however the steps before it end."""
    step = PlannedStep(table=key_of(definition), action=Action.UNDECIDED, reason=reason)
    if not isinstance(definition, AggregateView | CrossEntityView):
        return step
    names = tuple(map(day_or_instant, missing_as_ofs(state, definition, list(request.as_ofs_us))))
    return replace(step, slices=names)
