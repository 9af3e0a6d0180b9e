"""From the ledger alone: what a view is made of, which loads it knows, and how regular its look-ups are."""

from definitions.registry import Registry, key_of
from definitions.sources import Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView, Lookup, View
from jobs.run.published import PublishedState


def roots(definition: Definition) -> dict[str, Source]:
    """The sources that a definition reads, through the views between, by their table's key."""
    return {key_of(source): source for source in definition.sources_below}


def loads(published: PublishedState, view: View) -> dict[str, int]:
    """When each source below a view was loaded last, in µs: what a build of it knows."""
    return {key: published.newest(key).loaded_at_us for key in roots(view)}


def cut_delay_us(registry: Registry, view: DerivedView) -> int:
    """A derived view has no cut of its own: it holds what the latest cut among the views built on it needs."""
    above = [registry.by_key[key] for key in registry.built_on(key_of(view))] if key_of(view) in registry.by_key else []
    snapshots = [other for other in above if isinstance(other, AggregateView | CrossEntityView)]
    return max([view.landing_delay_us, *(snapshot.cut_delay_us for snapshot in snapshots)])


def is_regular(published: PublishedState, view: DerivedView, lookup: Lookup) -> bool:
    """True when a looked-up fact is always known no later than the row that looks it up.

    It has a constant delay, no longer than the row's, and nothing of it came late or was corrected.
    """
    if lookup.source.is_static:
        return True
    raw = published.newest(key_of(lookup.source)).raw  # None where others wrote to the table, and no load looked since
    is_known = raw is not None and not raw.has_late and not raw.has_versions
    is_constant = lookup.source.has_constant_delay and is_known
    driver = view.root
    return is_constant and driver.has_constant_delay and lookup.source.landing_delay_us <= driver.landing_delay_us
