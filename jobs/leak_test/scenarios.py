"""The worlds of a proof: for each label time, what could be known then, and how the rest is poisoned.

All worlds are rebuilt in one pass: each raw fact is there once per world, and the definitions get one more key column,
the world's number. Everything else of a definition stays as it is, and so does the code that reads it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from definitions.sources import Column, Entity, Kind, Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView, Group, Lookup, Snapshot

SCENARIO = "proof_world"


class Perturbation(StrEnum):
    """What becomes of a fact that could not be known. NOTHING is the control: what is rebuilt from raw as it is.

    MIXED is for where facts are many: by a hash of the fact, one of four is replaced and the others are removed.
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
    """One label time, for the selections (by index in the service) that may know the same, under one perturbation.

    as_ofs: by table key, the snapshots that its rows can see, and those which these are made of.
    """

    number: int
    poison: Perturbation
    label_us: int
    knowable: Knowable
    selections: tuple[int, ...]
    as_ofs: Mapping[str, tuple[int, ...]]


# (index of a selection, label time) -> the as-ofs whose snapshots the chosen rows can see; the last is the newest.
Seen = Mapping[tuple[int, int], Sequence[int]]


def scenarios_of(
    service: FeatureService, instants_us: Iterable[int], seen: Seen, *, poisons: Iterable[Perturbation]
) -> tuple[Scenario, ...]:
    """A snapshot of T may hold what S11 lets it: before T, known at its cut. Facts themselves: S14, at the label time.

    A selection with no snapshot by its label time, or of a static source, needs no world.
    """
    groups: dict[tuple[int, Knowable], list[int]] = {}
    for at in instants_us:
        for index, selection in enumerate(service.features):
            knowable = _knowable(selection, at, seen.get((index, at), ()))
            if knowable is not None:
                groups.setdefault((at, knowable), []).append(index)
    return tuple(
        Scenario(
            number=number,
            poison=poison,
            label_us=at,
            knowable=knowable,
            selections=tuple(selections),
            as_ofs=_as_ofs([(service.features[index], seen.get((index, at), ())) for index in selections]),
        )
        for number, (poison, ((at, knowable), selections)) in enumerate(
            (poison, group) for poison in poisons for group in groups.items()
        )
    )


def _knowable(selection: Selection, label_us: int, as_ofs: Sequence[int]) -> Knowable | None:
    view = selection.view
    if isinstance(view, AggregateView | CrossEntityView):
        # A snapshot is out after its cut; one that was stamped to be out before holds more than could be known.
        newest = as_ofs[-1] if as_ofs else None
        return None if newest is None else Knowable(newest, min(newest + view.cut_delay_us, label_us))
    if view.is_static:
        return None
    return Knowable(label_us, label_us, includes_edge=view.includes_label_instant)


def _as_ofs(pairs: Iterable[tuple[Selection, Sequence[int]]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for selection, as_ofs in pairs:
        view = selection.view
        if isinstance(view, AggregateView | CrossEntityView):
            for each in (view, *([view.of] if isinstance(view, CrossEntityView) else [])):
                found.setdefault(key_of(each), set()).update(as_ofs)
    return {key: tuple(sorted(each)) for key, each in found.items()}


def everything_below(view: Definition) -> dict[str, Definition]:
    """The view and all that it reads, by table key, each after what it reads."""
    found: dict[str, Definition] = {}
    for upstream in view.upstream:
        found |= everything_below(upstream)
    return found | {key_of(view): view}


def widened(definition: Definition) -> Definition:
    """The same definition with the world as one more key; a static source has no clock and stays as it is."""
    match definition:
        case Source():
            return _wide_source(definition)
        case DerivedView():
            return _wide_derived(definition)
        case AggregateView():
            return _wide_aggregate(definition)
        case CrossEntityView():
            return replace(
                definition,
                of=_wide_aggregate(definition.of),
                entity=wide_entity(definition.entity),
                group=_wide_group(definition),
            )


def wide_entity(entity: Entity) -> Entity:
    return Entity(entity.name, keys=(*entity.keys, (SCENARIO, "int")))


def wide_selection(selection: Selection) -> Selection:
    return replace(selection, view=widened(selection.view), entity=wide_entity(selection.entity))


def _wide_source(source: Source) -> Source:
    if source.is_static:
        return source
    identity = (*source.identity, SCENARIO) if source.identity else ()
    return replace(source, columns=(*source.columns, Column(SCENARIO, "int")), identity=identity)


def _wide_fact(view: Source | DerivedView) -> Source | DerivedView:
    return _wide_source(view) if isinstance(view, Source) else _wide_derived(view)


def _wide_derived(view: DerivedView) -> DerivedView:
    return replace(view, source=_wide_fact(view.source), lookups=tuple(map(_wide_lookup, view.lookups)))


def _wide_lookup(lookup: Lookup) -> Lookup:
    if lookup.source.is_static:
        return lookup
    return replace(lookup, source=_wide_fact(lookup.source), on=(*lookup.on, SCENARIO))


def _wide_aggregate(view: AggregateView) -> AggregateView:
    return replace(view, entity=wide_entity(view.entity), source=_wide_fact(view.source))


def _wide_group(view: CrossEntityView) -> Group:
    """Members of one world are compared with each other alone; EVERYONE becomes everyone of a world."""
    keys = wide_entity(view.entity).keys
    by = view.group.source
    named = {name for name, _ in keys}
    told = [(name, by.type_of(name)) for name in view.group.by if name not in named] if by is not None else []
    members = Source(
        name=by.name if by is not None else "members",
        kind=Kind.STATIC,
        version=by.version if by is not None else 1,
        owner=view.owner,
        columns=tuple(Column(name, type_) for name, type_ in (*keys, *told)),
        identity=tuple(name for name, _ in keys),
    )
    return Group(members, by=(*view.group.by, SCENARIO), unknown=view.group.unknown)


def snapshots_in(worlds: Iterable[Scenario], view: Snapshot) -> list[tuple[int, int]]:
    """(world, as-of) of every snapshot of the view that is to be rebuilt."""
    return [(world.number, us) for world in worlds for us in world.as_ofs.get(key_of(view), ())]
