"""The files of manifests: one is placed last, and makes the training set readable (S36).

`manifest.json` is the newest version, `manifests/<n>.json` is version n: it stays when a newer one comes. The names
in the JSON are those of the dataclasses, but for the leak test: its first release called it `proof`.
"""

import json
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from definitions.errors import did_you_mean
from jobs.training_set.manifest import DELTA, FORMAT, Manifest, ViewPart
from lakehouse.crash_points import crash_point
from lakehouse.storage_errors import StorageError
from lakehouse.tables import Warehouse, names_in, place_text, read_text
from reports.training_set import CardPage, CertificatePage, LeakTestChange, LeakTestInstant, LeakTestResult

_READABLE = (1, FORMAT)  # a set of format 1 has no evidence: it is built anew, not extended
_JSON_NAMES: Mapping[type, Mapping[str, str]] = {
    CertificatePage: {"leak_test": "proof"},
    LeakTestResult: {"perturbations": "poisons"},
    LeakTestInstant: {"unknowable": "poisoned"},
    LeakTestChange: {"perturbation": "poison"},
}
# Left out where they say nothing: versions before these fields wrote the same file.
_LEFT_OUT_WHEN_EMPTY: Mapping[type, tuple[str, ...]] = {
    CardPage: ("grain", "label_times"),
    CertificatePage: ("reach", "beyond_reach"),
    ViewPart: ("derived_from",),
}
_EMPTY_WHEN_NONE = ("evidence", "split", "parquet")


class TrainingSetMissing(StorageError):
    """No training set of that name, or one that was never finished."""

    exit_code = 43


def folder_of(warehouse: Warehouse, name: str) -> str:
    return warehouse.training_set(name).path


def write_manifest(warehouse: Warehouse, manifest: Manifest) -> str:
    """Whole or not at all; from then on readers see this version. Returns the path."""
    text = json.dumps(manifest_fields(manifest), indent=1, ensure_ascii=False, default=str) + "\n"
    folder = folder_of(warehouse, manifest.name)
    # A number above that of manifest.json is no version yet: the next run writes it again.
    place_text(text, f"{folder}/manifests/{manifest.version}.json")
    crash_point("between_manifests", manifest.name)
    return place_text(text, f"{folder}/manifest.json")


def find_manifest(warehouse: Warehouse, name: str, version: int | None = None) -> Manifest | None:
    """The newest, or that version; None where there is none.

    Raises StorageError for one that a newer release wrote, or that is damaged.
    """
    newest = _read(f"{folder_of(warehouse, name)}/manifest.json")
    if newest is None or version is None or version == newest.version:
        return newest
    is_older = version < newest.version
    return _read(f"{folder_of(warehouse, name)}/manifests/{version}.json") if is_older else None


def manifest_of(warehouse: Warehouse, name: str, version: int | None = None) -> Manifest:
    """The same, but raises TrainingSetMissing where there is none."""
    manifest = find_manifest(warehouse, name, version)
    if manifest is not None:
        return manifest
    if version is not None and (newest := find_manifest(warehouse, name)) is not None:
        raise TrainingSetMissing(f"training set '{name}' has no version {version}; the newest is {newest.version}.")
    names = [manifest.name for manifest in manifests(warehouse)]
    raise TrainingSetMissing(
        f"there is no training set '{name}'.{did_you_mean(name, names)} Build one: "
        "ziggurat training-set --service … --spine … --out …"
    )


def manifests(warehouse: Warehouse) -> list[Manifest]:
    """The newest of every training set, by name."""
    newest = (find_manifest(warehouse, name) for name in names_in(f"{warehouse.root}/training_sets"))
    return [manifest for manifest in newest if manifest is not None]


def every_manifest(warehouse: Warehouse) -> Iterator[Manifest]:
    """Every version of every training set that readers can name: the newest, and those before it."""
    for newest in manifests(warehouse):
        yield newest
        older = (find_manifest(warehouse, newest.name, version) for version in range(newest.version - 1, 0, -1))
        yield from (manifest for manifest in older if manifest is not None)


def manifest_called(warehouse: Warehouse, text: str) -> Manifest:
    """By `name`, `name@version` or the path of a manifest file. Raises TrainingSetMissing, or StorageError as above."""
    if text.endswith(".json"):
        manifest = _read(text)
        if manifest is None:
            raise TrainingSetMissing(f"there is no manifest at {text}.")
        return manifest
    named = re.fullmatch(r"(.+)@(\d+)", text)
    return manifest_of(warehouse, named[1], int(named[2])) if named else manifest_of(warehouse, text)


def manifest_fields(manifest: Manifest) -> dict[str, Any]:
    """The manifest as its JSON has it: an option that was not given is left out, a missing part is empty."""
    written = json_fields(manifest)
    split = manifest.options.split
    written["options"] = {"knowledge": manifest.options.knowledge, "keys": dict(manifest.options.keys)}
    if split is not None:
        by = {"shares": list(split.shares)} if split.shares else {"at": list(split.at)}
        written["options"]["split"] = {**by, "gap": split.gap}
    if manifest.options.format != DELTA:
        written["options"]["format"] = manifest.options.format
    return {name: {} if part is None and name in _EMPTY_WHEN_NONE else part for name, part in written.items()}


def json_fields(part: Any) -> Any:
    """A dataclass, and those in it, with the names that the JSON has."""
    if is_dataclass(part) and not isinstance(part, type):
        names, optional = _JSON_NAMES.get(type(part), {}), _LEFT_OUT_WHEN_EMPTY.get(type(part), ())
        values = {field.name: getattr(part, field.name) for field in fields(part)}
        written = {name: value for name, value in values.items() if value or name not in optional}
        return {names.get(name, name): json_fields(value) for name, value in written.items()}
    if isinstance(part, Mapping):
        return {name: json_fields(value) for name, value in part.items()}
    return [json_fields(value) for value in part] if isinstance(part, list | tuple) else part


def _read(path: str) -> Manifest | None:
    text = read_text(path)
    if text is None:
        return None
    try:
        written = json.loads(text)
        if written["format"] not in _READABLE:
            raise StorageError(
                f"{path} has format {written['format']}, and this version reads {FORMAT}: use the one that wrote it."
            )
        for name in _EMPTY_WHEN_NONE:
            written[name] = written.get(name) or None
        manifest: Manifest = _typed(Manifest, written)
        return manifest
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageError(f"{path} is damaged ({error}); the rows are not lost. {_recovery(path)}") from error


def _typed(kind: Any, value: Any) -> Any:
    """The JSON value as the type that a field declares; numbers, texts and values of many types stay as they are."""
    if is_dataclass(kind) and isinstance(kind, type):
        names = {json_name: name for name, json_name in _JSON_NAMES.get(kind, {}).items()}
        hints = get_type_hints(kind)
        return kind(**{names.get(key, key): _typed(hints[names.get(key, key)], part) for key, part in value.items()})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
        return tuple(_typed(part_kind, part) for part_kind, part in zip(kinds, value, strict=True))
    if origin is Mapping:
        return {key: _typed(arguments[1], part) for key, part in value.items()}
    if origin in (Union, types.UnionType) and value is not None:
        parts = [part for part in arguments if is_dataclass(part)]
        return _typed(parts[0], value) if parts else value
    return value


def _recovery(path: str) -> str:
    """The command that brings a damaged manifest back, where a copy of it lies beside."""
    folder = path.removesuffix("/manifest.json")
    copies = [name for name in names_in(f"{folder}/manifests") if re.fullmatch(r"\d+\.json", name)]
    if not copies:
        return "Restore it from a backup, or build the training set under another name."
    newest = max(copies, key=lambda name: int(name.removesuffix(".json")))
    return f"Copy {folder}/manifests/{newest} over it: the newest that was placed beside it."
