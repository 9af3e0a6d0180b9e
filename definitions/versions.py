"""Fingerprints of meaning (S35) and the lock file of what is published under which meaning.

A fingerprint covers everything that changes values, also upstream, and nothing else: no docs, owners, formatting or
paths.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from definitions.errors import DefinitionChanged
from definitions.features import Feature
from definitions.operations.table import semantic_version
from definitions.registry import Registry, key_of
from definitions.services import FeatureService, Selection
from definitions.sources import Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView, Snapshot, View

LOCK = "definitions.lock.json"
Fingerprints = dict[str, str]


@cache
def fingerprints(definition: Definition) -> Fingerprints:
    """One fingerprint per published column."""
    return _FINGERPRINTS[type(definition)](definition)


def _source_fingerprints(source: Source) -> Fingerprints:
    return {column.name: _digest(_source_meaning(source, column.name)) for column in source.columns}


def _derived_fingerprints(view: DerivedView) -> Fingerprints:
    read = fingerprints(view.source) | _looked_up(view)
    return read | _outputs(view, read)


def _snapshot_fingerprints(view: Snapshot) -> Fingerprints:
    outputs = _outputs(view, fingerprints(view.upstream[0]))
    return {feature.name: outputs[feature.name] for feature in view.published}


def meaning_of(definition: Definition) -> str:
    """One fingerprint for the whole view: changes when any of its columns does, or when one is added."""
    return _digest(fingerprints(definition))


def service_fingerprint(service: FeatureService) -> str:
    """One fingerprint for all that a service brings to a spine: its features in order, and how each is joined."""
    return _digest([list(service_features(service).items()), [_joined(selection) for selection in service.features]])


def service_features(service: FeatureService) -> Fingerprints:
    """By the name of the training set's column."""
    return {
        column.name: fingerprints(selection.view)[column.feature]
        for selection in service.features
        for column in selection.columns
    }


def _joined(selection: Selection) -> Any:
    view = selection.view
    return [selection.name, key_of(view), selection.entity.keys, selection.max_age_us, view.includes_label_instant]


def _outputs(view: View, read: Fingerprints) -> Fingerprints:
    """In declared order: an expression of a snapshot reads the features above it, everything else reads upstream."""
    outputs: Fingerprints = {}
    for feature in view.outputs:
        columns = read | outputs if feature.operation == "expression" else read
        outputs[feature.name] = _digest(_meaning(feature, view, columns))
    return outputs


def _source_meaning(source: Source, column: str) -> Any:
    declared = source.column(column)
    computed = source.computed.get(column)
    reads = computed.columns if computed else ()
    return {
        "facts": _facts(source),
        "column": _column(source, column) if not computed else [declared.type, computed.text],
        "reads": [_column(source, name) for name in reads],
    }


def _facts(source: Source) -> Any:
    """Which facts there are, and when each counts: part of the meaning of every value read from them."""
    in_advance = {"known_in_advance": True} if source.event_time and source.event_time.known_in_advance else {}
    return in_advance | {
        "source": key_of(source),
        "kind": source.kind,
        "identity": source.identity,
        "event_time": repr(source.event_time),
        "clock": _clock(source),
        "available": repr(source.available),
        "version_by": source.version_by,
        "retraction": source.retraction,
        "tombstone": source.tombstone,
        "tie_break": source.tie_break,
        "history_start": source.history_start,
        "required": sorted(c.name for c in source.columns if c.required),
    }


def _clock(source: Source) -> Any:
    if source.event_time is None:
        return None
    computed = source.computed.get(source.event_time.column)
    read = computed.columns if computed else (source.event_time.column,)
    return [computed.text if computed else "", *(_column(source, name) for name in read)]


def _column(source: Source, name: str) -> Any:
    declared = source.column(name)
    read = {"trim": declared.trim, "epoch": source.epoch_of(declared), "combined": declared.combined}
    # Only what is set: a column that was declared before these existed means what it meant.
    more = {name: value for name, value in read.items() if value}
    return [
        declared.type,
        declared.delivered_name,
        declared.required,
        declared.zone,
        declared.nan,
        *([more] if more else []),
    ]


def _looked_up(view: DerivedView) -> Fingerprints:
    driving = fingerprints(view.source)
    return {
        column: _digest(
            {
                "lookup": fingerprints(lookup.source)[column],
                "on": lookup.on,
                "duplicates": lookup.duplicates,
                "keys": [[driving[key], fingerprints(lookup.source)[key]] for key in lookup.on],
            }
        )
        for lookup in view.lookups
        for column in lookup.take
    }


def _meaning(feature: Feature, view: View, columns: Fingerprints) -> Any:
    used = {c for text in (feature.input, feature.where) if text for c in text.columns} | (
        {feature.of} if feature.of else set()
    )
    return {
        "operation": [feature.operation, semantic_version(feature.operation)],
        "input": feature.input.text if feature.input else "",
        "where": feature.where.text if feature.where else "",
        "window": feature.window.label if feature.window else "",
        "divisor": feature.divisor,
        "type": feature.type,
        "reads": {name: columns[name] for name in sorted(used) if name in columns},
        "view": _VIEW_MEANINGS[type(view)](view),
    }


def _derived_meaning(view: DerivedView) -> dict[str, Any]:
    return {"source": key_of(view.source), "facts": _facts(view.root)}


def _aggregate_meaning(view: AggregateView) -> dict[str, Any]:
    # A key's fingerprint covers which facts there are, and when each counts.
    keys = [fingerprints(view.source)[key] for key in view.key_names]
    return _snapshot_meaning(view) | {"source": key_of(view.source), "key_columns": keys}


def _cross_entity_meaning(view: CrossEntityView) -> dict[str, Any]:
    group = view.group
    membership = {column: fingerprints(group.source)[column] for column in group.by} if group.source else {}
    return _snapshot_meaning(view) | {
        "of": [key_of(view.of), _aggregate_meaning(view.of)],
        "group": membership,
        "unknown": group.unknown,
        "exclude_self": view.exclude_self,
        "min_members": view.min_members,
    }


def _snapshot_meaning(view: Snapshot) -> dict[str, Any]:
    return {"keys": view.entity.keys, "cut": view.cut_delay_us, "publish": view.publish_delay_us}


_FINGERPRINTS: Mapping[type[Definition], Callable[[Any], Fingerprints]] = {
    Source: _source_fingerprints,
    DerivedView: _derived_fingerprints,
    AggregateView: _snapshot_fingerprints,
    CrossEntityView: _snapshot_fingerprints,
}
_VIEW_MEANINGS: Mapping[type[View], Callable[[Any], dict[str, Any]]] = {
    DerivedView: _derived_meaning,
    AggregateView: _aggregate_meaning,
    CrossEntityView: _cross_entity_meaning,
}


def _digest(meaning: Any) -> str:
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]


def lock_text(registry: Registry) -> str:
    """The lock file: every definition in full, in canonical text, with the fingerprint of each column."""
    locked = {
        key: {"definition": _written_out(definition), "columns": fingerprints(definition)}
        for key, definition in registry.by_key.items()
    }
    return json.dumps(locked, indent=1, sort_keys=True) + "\n"


def _written_out(value: Any, *, inside: bool = False) -> Any:
    """A definition as plain data; those that it reads are written as their keys, since they have their own entries."""
    if inside and isinstance(value, Definition):
        return key_of(value)
    if is_dataclass(value):
        return {
            f.name: _written_out(getattr(value, f.name), inside=True)
            for f in fields(value)
            if getattr(value, f.name) not in ("", (), None) and (f.repr or getattr(value, f.name) != f.default)
        }
    if isinstance(value, tuple):
        return [_written_out(part, inside=True) for part in value]
    return value


def lock_path(registry: Registry) -> Path:
    return Path(str(_folder(registry.package))) / LOCK


def require_unchanged(registry: Registry, published: Mapping[str, Fingerprints]) -> None:
    """Raises DefinitionChanged where a published column has another meaning now; adding a column is allowed."""
    for key, before in published.items():
        definition = registry.by_key.get(key)
        if definition is None:
            continue
        now = fingerprints(definition)
        changed = sorted(name for name, fingerprint in before.items() if now.get(name) != fingerprint)
        if changed:
            raise DefinitionChanged(
                f"{key}: the meaning of {', '.join(changed[:5])}{' …' if len(changed) > 5 else ''} changed, but "
                f"v{definition.version} is published. "
                f"Set version={definition.version + 1} in its file (both versions live side by side), or undo the "
                "change."
            )


def locked_fingerprints(registry: Registry) -> dict[str, Fingerprints]:
    """The fingerprints in the lock file beside the definitions; empty where there is no such file yet."""
    try:
        text = (_folder(registry.package) / LOCK).read_text()
    except (FileNotFoundError, OSError):
        return {}
    return {key: entry["columns"] for key, entry in json.loads(text).items()}


def _folder(package: str) -> Traversable:
    """The folder of a package of definitions, perhaps inside a zip, or the one that a single module is in."""
    module = import_module(package)
    if hasattr(module, "__path__"):
        return files(package)
    return Path(module.__file__ or "").parent
