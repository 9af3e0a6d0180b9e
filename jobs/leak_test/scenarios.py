"""The scenarios of the leak test: for each label time, what could be known then, and how all other facts are changed.

All scenarios are rebuilt in one pass: each raw fact is there once per scenario, and the definitions get one more key
column, the scenario's number. The rest of a definition stays as it is, and so does the code that reads it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar, cast

from definitions.columns import Column
from definitions.entities import Entity
from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from definitions.sources import Kind, Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView, Group, Lookup, Snapshot

SCENARIO = "leak_test_scenario"
AnyDefinition = TypeVar("AnyDefinition", bound=Definition)


class Perturbation(StrEnum):
    """How a fact that could not be known is changed. NOTHING is the control: raw as it is.

    MIXED is for sources with many facts: by a hash of the fact, one of four is replaced and the others are removed.
    """

    REMOVED = "removed"
    REPLACED = "replaced"
    MIXED = "removed or replaced"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Knowable:
    """A fact can be known while event_time < edge (or at the edge, where that counts) and available_time <= cut."""

    edge_us: int
    cut_us: int
    includes_edge: bool = False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One label time and one perturbation, for the selections (by index in the service) that may know the same facts.

    as_ofs: by table key, the snapshots that its rows can see, and those that these are computed from.
    """

    number: int
    perturbation: Perturbation
    label_us: int
    knowable: Knowable
    selections: tuple[int, ...]
    as_ofs: Mapping[str, tuple[int, ...]]


# (index of a selection, label time) -> the as-ofs whose snapshots the chosen rows can see; the last is the newest.
VisibleSnapshots = Mapping[tuple[int, int], Sequence[int]]


def scenarios_of(
    service: FeatureService,
    instants_us: Iterable[int],
    visible: VisibleSnapshots,
    *,
    perturbations: Iterable[Perturbation],
) -> tuple[Scenario, ...]:
    """A snapshot of T may hold facts before T that were known at its cut (S11); for facts themselves S14 holds.

    A selection with no snapshot by its label time, or of a static source, needs no scenario.
    """
    groups: dict[tuple[int, Knowable], list[int]] = {}
    for at in instants_us:
        for index, selection in enumerate(service.features):
            knowable = _knowable(selection, at, visible.get((index, at), ()))
            if knowable is not None:
                groups.setdefault((at, knowable), []).append(index)
    return tuple(
        Scenario(
            number=number,
            perturbation=perturbation,
            label_us=at,
            knowable=knowable,
            selections=tuple(selections),
            as_ofs=_as_ofs([(service.features[index], visible.get((index, at), ())) for index in selections]),
        )
        for number, (perturbation, ((at, knowable), selections)) in enumerate(
            (perturbation, group) for perturbation in perturbations for group in groups.items()
        )
    )


def _knowable(selection: Selection, label_us: int, as_ofs: Sequence[int]) -> Knowable | None:
    view = selection.view
    if view.is_snapshot:
        # A snapshot is available after its cut; one stamped as available earlier may know no more than its label time.
        newest = as_ofs[-1] if as_ofs else None
        return None if newest is None else Knowable(newest, min(newest + view.cut_delay_us, label_us))
    if view.is_static:
        return None
    return Knowable(label_us, label_us, includes_edge=view.includes_label_instant)


def _as_ofs(pairs: Iterable[tuple[Selection, Sequence[int]]]) -> dict[str, tuple[int, ...]]:
    by_table: dict[str, set[int]] = {}
    for selection, as_ofs in pairs:
        for key, view in everything_below(selection.view).items():
            if view.is_snapshot:
                by_table.setdefault(key, set()).update(as_ofs)
    return {key: tuple(sorted(numbers)) for key, numbers in by_table.items()}


def everything_below(view: Definition) -> dict[str, Definition]:
    """The view and all that it reads, by table key; a view comes after those that it reads."""
    below: dict[str, Definition] = {}
    for upstream in view.upstream:
        below |= everything_below(upstream)
    return below | {key_of(view): view}


def widened(definition: AnyDefinition) -> AnyDefinition:
    """The same definition with the scenario as one more key; a static source has no clock and stays as it is."""
    return cast(AnyDefinition, _WIDENERS[type(definition)](definition))


def wide_entity(entity: Entity) -> Entity:
    return Entity(entity.name, keys=(*entity.keys, (SCENARIO, "int")))


def wide_selection(selection: Selection) -> Selection:
    return replace(selection, view=widened(selection.view), entity=wide_entity(selection.entity))


def _wide_source(source: Source) -> Source:
    if source.is_static:
        return source
    identity = (*source.identity, SCENARIO) if source.identity else ()
    return replace(source, columns=(*source.columns, Column(SCENARIO, "int")), identity=identity)


def _wide_derived(view: DerivedView) -> DerivedView:
    return replace(view, source=widened(view.source), lookups=tuple(map(_wide_lookup, view.lookups)))


def _wide_lookup(lookup: Lookup) -> Lookup:
    if lookup.source.is_static:
        return lookup
    return replace(lookup, source=widened(lookup.source), on=(*lookup.on, SCENARIO))


def _wide_aggregate(view: AggregateView) -> AggregateView:
    return replace(view, entity=wide_entity(view.entity), source=widened(view.source))


def _wide_cross_entity(view: CrossEntityView) -> CrossEntityView:
    return replace(view, of=widened(view.of), entity=wide_entity(view.entity), group=_wide_group(view))


def _wide_group(view: CrossEntityView) -> Group:
    """Members of one scenario are compared with each other alone; EVERYONE becomes everyone of a scenario."""
    keys = wide_entity(view.entity).keys
    by = view.group.source
    named = {name for name, _ in keys}
    columns = [(name, by.type_of(name)) for name in view.group.by if name not in named] if by is not None else []
    members = Source(
        name=by.name if by is not None else "members",
        kind=Kind.STATIC,
        version=by.version if by is not None else 1,
        owner=view.owner,
        columns=tuple(Column(name, type_) for name, type_ in (*keys, *columns)),
        identity=tuple(name for name, _ in keys),
    )
    return Group(members, by=(*view.group.by, SCENARIO), unknown=view.group.unknown)


_WIDENERS: Mapping[type[Any], Callable[[Any], Definition]] = {
    Source: _wide_source,
    DerivedView: _wide_derived,
    AggregateView: _wide_aggregate,
    CrossEntityView: _wide_cross_entity,
}


def snapshots_in(scenarios: Iterable[Scenario], view: Snapshot) -> list[tuple[int, int]]:
    """(scenario, as-of) of every snapshot of the view that is to be rebuilt."""
    return [(scenario.number, us) for scenario in scenarios for us in scenario.as_ofs.get(key_of(view), ())]
