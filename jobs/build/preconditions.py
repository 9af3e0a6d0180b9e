"""What stops a run, or a step, before it does anything: one sentence each, with what to do instead."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from definitions.durations import day_or_instant, duration_us, instant_text, to_us
from definitions.errors import AsOfBeyondData, UsageError
from definitions.expressions import Expression
from definitions.registry import Registry
from definitions.sources import Kind, Source
from definitions.versions import locked_fingerprints, require_unchanged
from definitions.views import AggregateView, CrossEntityView, Definition, View
from jobs.build.plan import PlanState
from jobs.build.staleness import roots
from jobs.run.published import PublishedState
from jobs.run.request import Request


def refuse_future(now: datetime, selected: Sequence[Definition], request: Request) -> None:
    """No run of T starts before its cut: what is known then is not known yet (S11)."""
    cut = max((d.cut_delay_us for d in selected if isinstance(d, AggregateView | CrossEntityView)), default=0)
    latest, now_us = max(request.as_ofs_us), to_us(now)
    if latest + cut > now_us:
        raise UsageError(
            f"--as-of {day_or_instant(latest)} is known from {instant_text(latest + cut)} on, which is not yet; now it "
            f"is {instant_text(now_us)}. Build an earlier as-of, or wait."
        )


def refuse_changed_meaning(registry: Registry, published: PublishedState) -> None:
    """A published column that means something else now needs a new version of its view (S35)."""
    columns = {key: dict(published.newest(key).columns) for key in registry.by_key}
    require_unchanged(registry, locked_fingerprints(registry))
    require_unchanged(registry, columns)


def zones_read(definitions: Iterable[Definition]) -> frozenset[str]:
    """The zones whose clocks expressions read: those are computed with the zone data of the JVM."""
    return frozenset(zone for d in definitions for expression in _expressions(d) for zone in expression.zones)


def zones_below(definitions: Iterable[Definition]) -> frozenset[str]:
    """The same of views and the views below them. What sources compute is stored with their rows."""
    views = [definition for definition in definitions if not isinstance(definition, Source)]
    return zones_read(views).union(*(zones_below(view.upstream) for view in views))


def _expressions(definition: Definition) -> Iterator[Expression]:
    if isinstance(definition, Source):
        yield from definition.computed.values()
    else:
        yield from (e for feature in definition.outputs for e in (feature.input, feature.where) if e is not None)


def beyond_data(state: PlanState, view: View, request: Request) -> AsOfBeyondData | None:
    """Why a view can't be built: a snapshot after the end of the data would show every entity as inactive."""
    events = {key: source for key, source in roots(view).items() if source.kind is Kind.EVENTS}
    reaches = {key: reach for key in events if (reach := state.published.newest(key).reach_us) is not None}
    latest = max(request.as_ofs_us)
    if events and not reaches:
        names = ", ".join(source.name for source in events.values())
        return AsOfBeyondData(
            f"as-of {day_or_instant(latest)} lies beyond the data: {names} delivered no event yet. "
            f"Deliver some, and build again."
        )
    if not reaches:
        return None
    farthest = max(reaches, key=lambda key: reaches[key])
    if latest <= reaches[farthest] + duration_us(state.data_may_lag, where="data_may_lag"):
        return None
    raw = state.published.newest(farthest).raw
    alone = raw is not None and raw.newest_event_us is not None and raw.newest_event_us > reaches[farthest]
    left_out = (
        f" (not counting single events that are dated later than '{events[farthest].name}' reaches)" if alone else ""
    )
    return AsOfBeyondData(
        f"as-of {day_or_instant(latest)} lies beyond the data, whose newest event is of "
        f"{instant_text(reaches[farthest])}{left_out}. "
        "Build an earlier as-of, or deliver what is missing (build.data_may_lag is "
        f"{state.data_may_lag})."
    )
