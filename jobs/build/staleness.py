"""What a run has to do at all.

Which slices are not published yet, or were built before knowledge that they should hold (S28).
"""

from collections.abc import Mapping, Sequence

from pyspark.sql import functions as F

from definitions.durations import day_or_instant
from definitions.registry import key_of
from definitions.sources import Source
from definitions.versions import fingerprints
from definitions.views import Definition, Snapshot, View
from jobs.run.context import Job
from lakehouse.tables import read
from temporal.instants import instant


def roots(definition: Definition) -> dict[str, Source]:
    """The sources that a definition reads, through whatever lies between."""
    if isinstance(definition, Source):
        return {key_of(definition): definition}
    return {key: source for upstream in definition.upstream for key, source in roots(upstream).items()}


def loads(job: Job, view: View) -> dict[str, int]:
    """When each source below a view was loaded last, in µs: what a build of it knows."""
    return {key: job.published.newest(key).loaded_at_us for key in roots(view)}


def missing_slices(job: Job, view: Snapshot, as_ofs_us: Sequence[int]) -> list[int]:
    """The as-ofs that are not published under this meaning, or whose slice of the facts has grown since."""
    now, table = loads(job, view), key_of(view)
    missing = []
    for us in as_ofs_us:
        state = job.published.state(table, day_or_instant(us))
        is_same = state.is_known and state.columns == fingerprints(view)
        if not is_same or (state.loads != now and _has_grown(job, view, us, state.loads)):
            missing.append(us)
    return missing


def _has_grown(job: Job, view: Snapshot, as_of_us: int, built_from: Mapping[str, int]) -> bool:
    """True when a source has rows that came after the build, happened before T and were known at its cut."""
    cut = as_of_us + view.cut_delay_us
    for key, source in roots(view).items():
        since = built_from.get(key, 0)
        if source.is_static or job.published.newest(key).loaded_at_us == since:
            continue
        rows = read(job.context.spark, job.context.warehouse.address(key).path, version=job.published.version(key))
        grown = (
            (F.col("loaded_at") > instant(since))
            & (F.col("event_time") < instant(as_of_us))
            & (F.col("available_time") <= instant(cut))
        )
        if not rows.where(grown).isEmpty():
            return True
    return False
