"""What a view publishes: its features under names that nothing else has."""

from collections.abc import Iterable, Mapping

from definitions.errors import DefinitionError
from definitions.features import Feature, Formula
from definitions.sources import RESERVED, Entity, check_name


def unique(features: Iterable[Feature], where: str, taken: Iterable[str]) -> tuple[Feature, ...]:
    seen = set(taken) | RESERVED
    kept = tuple(features)
    for feature in kept:
        check_name(feature.name, where)
        if feature.name in seen:
            raise DefinitionError(
                f"{where}: two columns would be called '{feature.name}'; give one of them another name with named=… ."
            )
        seen.add(feature.name)
    return kept


def with_formulas(
    expanded: tuple[Feature, ...],
    declared: Iterable[object],
    entity: Entity,
    *,
    readable: Mapping[str, str],
    where: str,
) -> tuple[Feature, ...]:
    """The expanded features, then the declared expressions; each reads `readable` and all features above it."""
    found = list(expanded)
    for each in declared:
        if isinstance(each, Formula):
            schema = {feature.name: feature.type for feature in found} | dict(readable)
            found.append(each.expand(schema, where=where))
    return unique(found, where, entity.key_names)
