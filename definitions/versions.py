"""Fingerprints of meaning (S35) and the lock file of what is published under which meaning.

A fingerprint covers all that changes values, upstream included, and nothing else: not docs, owners, formatting
or paths.
"""

import hashlib
import json
from collections.abc import Mapping
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
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView

LOCK = "definitions.lock.json"
Fingerprints = dict[str, str]


@cache
def fingerprints(definition: Definition) -> Fingerprints:
    """One fingerprint per published column."""
    if isinstance(definition, Source):
        return {column.name: _digest(_source_meaning(definition, column.name)) for column in definition.columns}
    if isinstance(definition, DerivedView):
        read = fingerprints(definition.source) | _looked_up(definition)
        return read | _outputs(definition, read)
    outputs = _outputs(definition, fingerprints(definition.upstream[0]))
    return {feature.name: outputs[feature.name] for feature in definition.published}


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
    inclusive = getattr(selection.view, "includes_label_instant", False)
    return [selection.name, key_of(selection.view), selection.entity.keys, selection.max_age_us, inclusive]


def _outputs(view: DerivedView | AggregateView | CrossEntityView, read: Fingerprints) -> Fingerprints:
    """In declared order: an expression of a snapshot reads the features above it, everything else reads upstream."""
    found: Fingerprints = {}
    for feature in view.outputs:
        columns = read | found if feature.operation == "expression" else read
        found[feature.name] = _digest(_meaning(feature, view, columns))
    return found


def _source_meaning(source: Source, column: str) -> Any:
    declared = next(c for c in source.columns if c.name == column)
    computed = source.computed.get(column)
    reads = computed.columns if computed else ()
    return {
        "facts": _facts(source),
        "column": _column(source, column) if not computed else [declared.type, computed.text],
        "reads": [_column(source, name) for name in reads],
    }


def _facts(source: Source) -> Any:
    """Which facts there are, and when each counts: part of the meaning of every value read from them."""
    return {
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
    declared = next(c for c in source.columns if c.name == name)
    return [declared.type, declared.delivered_name, declared.required, declared.zone, declared.nan]


def _looked_up(view: DerivedView) -> Fingerprints:
    driving = fingerprints(view.source)
    return {
        column: _digest(
            {
                "lookup": fingerprints(each.source)[column],
                "on": each.on,
                "duplicates": each.duplicates,
                "keys": [[driving[key], fingerprints(each.source)[key]] for key in each.on],
            }
        )
        for each in view.lookups
        for column in each.take
    }


def _meaning(feature: Feature, view: DerivedView | AggregateView | CrossEntityView, columns: Fingerprints) -> Any:
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
        "view": _view_meaning(view),
    }


def _view_meaning(view: DerivedView | AggregateView | CrossEntityView) -> Any:
    if isinstance(view, DerivedView):
        return {"source": key_of(view.source), "facts": _facts(view.root)}
    meaning: dict[str, Any] = {
        "keys": view.entity.keys,
        "cut": view.cut_delay_us,
        "publish": view.publish_delay_us,
    }
    if isinstance(view, CrossEntityView):
        group = view.group
        membership = {c: fingerprints(group.source)[c] for c in group.by} if group.source else {}
        return meaning | {
            "of": [key_of(view.of), _view_meaning(view.of)],
            "group": membership,
            "unknown": group.unknown,
            "exclude_self": view.exclude_self,
            "min_members": view.min_members,
        }
    # A key's fingerprint covers which facts there are, and when each counts.
    keys = [fingerprints(view.source)[key] for key in view.entity.key_names]
    return meaning | {"source": key_of(view.source), "key_columns": keys}


def _digest(meaning: Any) -> str:
    return hashlib.sha256(json.dumps(meaning, sort_keys=True, default=str).encode()).hexdigest()[:16]


def lock_text(registry: Registry) -> str:
    """The lock file: whole definitions of every view in canonical text, with the fingerprint of each column."""
    locked = {
        key: {"definition": _written_out(definition), "columns": fingerprints(definition)}
        for key, definition in registry.by_key.items()
    }
    return json.dumps(locked, indent=1, sort_keys=True) + "\n"


def _written_out(value: Any, *, inside: bool = False) -> Any:
    """A definition as plain data; the definitions it reads stand by their key, since they have entries of their own."""
    if inside and isinstance(value, Source | DerivedView | AggregateView | CrossEntityView):
        return key_of(value)
    if is_dataclass(value):
        return {
            f.name: _written_out(getattr(value, f.name), inside=True)
            for f in fields(value)
            if getattr(value, f.name) not in ("", (), None)
        }
    if isinstance(value, tuple):
        return [_written_out(each, inside=True) for each in value]
    return value


def lock_path(registry: Registry) -> Path:
    return Path(str(_folder(registry.package))) / LOCK


def require_unchanged(registry: Registry, published: Mapping[str, Fingerprints]) -> None:
    """Refuse a definition whose published columns changed their meaning; adding a column is free."""
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
    """What the lock file beside the definitions says; empty where there is none yet."""
    try:
        text = (_folder(registry.package) / LOCK).read_text()
    except (FileNotFoundError, OSError):
        return {}
    return {key: entry["columns"] for key, entry in json.loads(text).items()}


def _folder(package: str) -> Traversable:
    """Where definitions lie: a package's own folder, perhaps inside a zip, or the one that a single module is in."""
    module = import_module(package)
    if hasattr(module, "__path__"):
        return files(package)
    return Path(module.__file__ or "").parent
