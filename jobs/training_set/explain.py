"""The reasons why a column of one training set differs from the same column of another, from their manifests."""

from dataclasses import dataclass

from jobs.training_set.manifest import Manifest, SplitRequest, ViewPart
from jobs.training_set.split import SPLIT

DEFINITION, DATA, LABELS, OPTIONS, UNKNOWN = "definition", "data", "labels", "options", "unknown"


@dataclass(frozen=True)
class Reason:
    """`why` is definition (its fingerprint), data (its table's version), labels (the spine), options or unknown.

    told: both values, as a phrase.
    """

    why: str
    told: str


def explain_differences(column: str, a: Manifest, b: Manifest) -> tuple[Reason, ...]:
    """All that may have changed the column; `unknown` where both manifests name the same inputs: then verify both."""
    in_a, in_b = _view_of(column, a), _view_of(column, b)
    if in_a is None or in_b is None:
        return _of_spine(column, a, b)
    (one, feature), (other, _) = in_a, in_b
    reasons = [*_definition(feature, one, other), *_data(one, other), *_joined(one, other), *_knowledge(a, b)]
    return tuple(reasons) or (Reason(UNKNOWN, "both manifests name the same inputs: verify both"),)


def _of_spine(column: str, a: Manifest, b: Manifest) -> tuple[Reason, ...]:
    if column == SPLIT and a.split and b.split:
        one, other = a.options.split, b.options.split
        if one != other:
            return (Reason(OPTIONS, f"split {_split_words(one)} and {_split_words(other)}"),)
        return (Reason(LABELS, "the spine's rows moved the boundaries"),)
    return (Reason(LABELS, f"the spines differ: {a.origin} and {b.origin}"),)


def _split_words(split: SplitRequest | None) -> str:
    if split is None:
        return "none"
    return f"{','.join(split.shares or split.at)} gap {split.gap}"


def _view_of(column: str, manifest: Manifest) -> tuple[ViewPart, str] | None:
    for name, view in manifest.views.items():
        for feature in view.features:
            if column == f"{name}__{feature}":
                return view, feature
    return None


def _definition(feature: str, one: ViewPart, other: ViewPart) -> list[Reason]:
    if one.table != other.table:
        return [Reason(DEFINITION, f"{one.table} and {other.table}")]
    before, after = one.features[feature], other.features[feature]
    return [] if before == after else [Reason(DEFINITION, f"fingerprint {before} and {after}")]


def _data(one: ViewPart, other: ViewPart) -> list[Reason]:
    if one.table != other.table:
        return []
    before, after = ({view.table: view.version, **view.derived_from} for view in (one, other))
    return [
        Reason(DATA, f"{table} at versions {before.get(table, 'none')} and {after.get(table, 'none')}")
        for table in sorted({*before, *after})
        if before.get(table) != after.get(table)
    ]


def _joined(one: ViewPart, other: ViewPart) -> list[Reason]:
    pairs = {
        "max_age": (one.max_age, other.max_age),
        "includes_label_instant": (one.includes_label_instant, other.includes_label_instant),
        "spine_keys": (_names(one.spine_keys), _names(other.spine_keys)),
        "keys": (_names(one.keys), _names(other.keys)),
    }
    return [
        Reason(OPTIONS, f"{name} {before or 'none'} and {after or 'none'}")
        for name, (before, after) in pairs.items()
        if before != after
    ]


def _names(keys: tuple[str, ...] | tuple[tuple[str, str], ...]) -> str:
    return ", ".join(key if isinstance(key, str) else " ".join(key) for key in keys)


def _knowledge(a: Manifest, b: Manifest) -> list[Reason]:
    before, after = a.options.knowledge, b.options.knowledge
    return [] if before == after else [Reason(OPTIONS, f"knowledge {before} and {after}")]
