"""What a view publishes: features whose names differ from each other, from the keys and from the clocks."""

from collections.abc import Iterable, Mapping

from definitions.entities import Entity
from definitions.errors import DefinitionError
from definitions.features import Feature, Formula
from definitions.names import RESERVED, check_name


def unique(features: Iterable[Feature], where: str, taken: Iterable[str]) -> tuple[Feature, ...]:
    """The features, each under a name that is not `taken`; raises DefinitionError for a second use of a name."""
    used = set(taken) | RESERVED
    kept = tuple(features)
    for feature in kept:
        check_name(feature.name, where)
        if feature.name in used:
            raise DefinitionError(
                f"{where}: two columns would be called '{feature.name}'; give one of them another name with named=… ."
            )
        used.add(feature.name)
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
    features = list(expanded)
    for formula in declared:
        if isinstance(formula, Formula):
            schema = {feature.name: feature.type for feature in features} | dict(readable)
            features.append(formula.expand(schema, where=where))
    return unique(features, where, entity.key_names)
