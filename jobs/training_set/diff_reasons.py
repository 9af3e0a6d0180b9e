"""Why a column of one training set differs from the same column of another, as their manifests tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.training_set.manifest import Manifest
from jobs.training_set.split_request import SPLIT

DEFINITION, DATA, LABELS, OPTIONS, UNKNOWN = "definition", "data", "labels", "options", "unknown"
_JOINED_BY = ("max_age", "includes_label_instant", "spine_keys", "keys")


@dataclass(frozen=True)
class Reason:
    """`why` is definition (its fingerprint), data (its table's version), labels (the spine), options or unknown."""

    why: str
    told: str


def explain_differences(column: str, a: Manifest, b: Manifest) -> tuple[Reason, ...]:
    """All that may have changed the column; `unknown` where the manifests tell of nothing: then verify both."""
    in_a, in_b = _view_of(column, a), _view_of(column, b)
    if in_a is None or in_b is None:
        return _of_spine(column, a, b)
    (one, feature), (other, _) = in_a, in_b
    reasons = [*_definition(feature, one, other), *_data(one, other), *_joined(one, other), *_knowledge(a, b)]
    return tuple(reasons) or (Reason(UNKNOWN, "the manifests tell of no change: verify both"),)


def _of_spine(column: str, a: Manifest, b: Manifest) -> tuple[Reason, ...]:
    if column == SPLIT and a.split and b.split:
        if a.options.get(SPLIT) != b.options.get(SPLIT):
            return (Reason(OPTIONS, f"split {a.options.get(SPLIT)} and {b.options.get(SPLIT)}"),)
        return (Reason(LABELS, "the spine's rows moved the boundaries"),)
    return (Reason(LABELS, f"the spines differ: {a.origin} and {b.origin}"),)


def _view_of(column: str, manifest: Manifest) -> tuple[Mapping[str, Any], str] | None:
    for name, view in manifest.views.items():
        for feature in view["features"]:
            if column == f"{name}__{feature}":
                return view, feature
    return None


def _definition(feature: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Reason]:
    if one["table"] != other["table"]:
        return [Reason(DEFINITION, f"{one['table']} and {other['table']}")]
    meant = one["features"][feature], other["features"][feature]
    return [] if meant[0] == meant[1] else [Reason(DEFINITION, f"fingerprint {meant[0]} and {meant[1]}")]


def _data(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Reason]:
    if one["table"] != other["table"] or one["version"] == other["version"]:
        return []
    return [Reason(DATA, f"{one['table']} at versions {one['version']} and {other['version']}")]


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Reason]:
    return [
        Reason(OPTIONS, f"{name} {one[name] or 'none'} and {other[name] or 'none'}")
        for name in _JOINED_BY
        if one[name] != other[name]
    ]


def _knowledge(a: Manifest, b: Manifest) -> list[Reason]:
    told = a.options["knowledge"], b.options["knowledge"]
    return [] if told[0] == told[1] else [Reason(OPTIONS, f"knowledge {told[0]} and {told[1]}")]
