"""What stops a run, or a step, before it does anything: each in one sentence with the way out."""

from collections.abc import Sequence

from definitions.durations import day_or_instant, duration_us, instant_text, to_us
from definitions.errors import AsOfBeyondData, UsageError
from definitions.sources import Kind
from definitions.versions import locked_fingerprints, require_unchanged
from definitions.views import AggregateView, CrossEntityView, Definition
from jobs.build.staleness import roots
from jobs.run.context import Context, Job
from jobs.run.published import PublishedState
from jobs.run.request import Request


def refuse_future(context: Context, selected: Sequence[Definition], request: Request) -> None:
    """No run of T starts before its cut: what is known then is not known yet (S11)."""
    cut = max((d.cut_delay_us for d in selected if isinstance(d, AggregateView | CrossEntityView)), default=0)
    latest, now = max(request.as_ofs_us), to_us(context.clock())
    if latest + cut > now:
        raise UsageError(
            f"--as-of {day_or_instant(latest)} is known from {instant_text(latest + cut)} on, which is not yet; now it "
            f"is {instant_text(now)}. Build an earlier as-of, or wait."
        )


def refuse_changed_meaning(context: Context, published: PublishedState) -> None:
    """A published column that means something else now needs a new version of its view (S35)."""
    columns = {key: dict(published.newest(key).columns) for key in context.registry.by_key}
    require_unchanged(context.registry, locked_fingerprints(context.registry))
    require_unchanged(context.registry, columns)


def refuse_beyond_data(job: Job, definition: Definition, request: Request) -> None:
    """A snapshot after the end of the data would call everybody inactive."""
    events = {key: source for key, source in roots(definition).items() if source.kind is Kind.EVENTS}
    newest = max((job.published.newest(key).newest_event_us or 0 for key in events), default=0)
    latest = max(request.as_ofs_us)
    if events and not newest:
        names = ", ".join(source.name for source in events.values())
        raise AsOfBeyondData(
            f"as-of {day_or_instant(latest)} lies beyond the data: {names} delivered no event yet. "
            f"Deliver some, and build again."
        )
    if newest and latest > newest + duration_us(job.context.options.data_may_lag, where="data_may_lag"):
        raise AsOfBeyondData(
            f"as-of {day_or_instant(latest)} lies beyond the data, whose newest event is of "
            f"{instant_text(newest)}. "
            "Build an earlier as-of, or deliver what is missing (build.data_may_lag is "
            f"{job.context.options.data_may_lag})."
        )
