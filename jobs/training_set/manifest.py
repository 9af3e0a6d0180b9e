"""A training set's manifest: one file, placed last, that makes it readable and says all that made it (S36).

`manifest.json` is the newest version, `manifests/<n>.json` is version n: it stays when a newer one comes.
"""

import json
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from definitions.errors import did_you_mean
from lakehouse.crash_points import crash_point
from lakehouse.storage_errors import StorageError
from lakehouse.tables import Warehouse, names_in, place_text, read_text

FORMAT = 2
_READABLE = (1, FORMAT)  # a set of format 1 keeps no evidence: it is built anew, not extended
_ENGINES = ("ziggurat-features", "pyspark", "delta-spark", "pyarrow", "numpy")


class TrainingSetMissing(StorageError):
    """No training set of that name, or one that was never finished."""

    exit_code = 43


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a training set is and came from. `data` names its rows: table version, count and content hash.

    `evidence` names the rows' evidence: the version of a table that lies beside. `views` tells, by selection, what
    its columns were made of: table, version, fingerprints, and how it was joined. `origin` tells where the spine lay,
    `spine` what it was: its columns and content hash. `split` holds the parts' counts and times, `parquet` the folder
    of the copy; both are empty where nobody asked for them. `certificate` and `card` are what its two pages show.
    """

    name: str
    version: int = 1
    run_id: str
    made_at: str
    service: str
    service_fingerprint: str
    features: Mapping[str, str]
    release: int
    tables: Mapping[str, int]
    origin: str
    spine: Mapping[str, Any]
    options: Mapping[str, Any]
    data: Mapping[str, Any]
    evidence: Mapping[str, Any] = field(default_factory=dict)
    views: Mapping[str, Any] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    parquet: Mapping[str, Any] = field(default_factory=dict)
    certificate: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=lambda: engines())
    format: int = FORMAT

    @property
    def called(self) -> str:
        """Its name and version, as `diff` and `verify` take them."""
        return f"{self.name}@{self.version}"

    def is_made_of(self, told: Mapping[str, Any]) -> bool:
        """True when the same spine rows, features, table versions and options went in: then the same rows come out."""
        return all(getattr(self, name) == value for name, value in told.items())


def engines() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: _version(name) for name in _ENGINES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def folder_of(warehouse: Warehouse, name: str) -> str:
    return warehouse.training_set(name).path


def write_manifest(warehouse: Warehouse, manifest: Manifest) -> str:
    """Whole or not at all; from then on the training set is what it says."""
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False, default=str) + "\n"
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
    older = version < newest.version
    return _read(f"{folder_of(warehouse, name)}/manifests/{version}.json") if older else None


def _read(path: str) -> Manifest | None:
    text = read_text(path)
    if text is None:
        return None
    try:
        fields = json.loads(text)
        if fields["format"] not in _READABLE:
            raise StorageError(
                f"{path} has format {fields['format']}, and this version reads {FORMAT}: use the one that wrote it."
            )
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{path} is damaged ({error}); the rows are not lost. {_mended_by(path)}") from error


def _mended_by(path: str) -> str:
    folder = path.removesuffix("/manifest.json")
    copies = [name for name in names_in(f"{folder}/manifests") if re.fullmatch(r"\d+\.json", name)]
    if not copies:
        return "Restore it from a backup, or build the training set under another name."
    newest = max(copies, key=lambda name: int(name.removesuffix(".json")))
    return f"Copy {folder}/manifests/{newest} over it: the newest that was placed beside it."


def manifest_of(warehouse: Warehouse, name: str, version: int | None = None) -> Manifest:
    """The same, but raises TrainingSetMissing where there is none."""
    found = find_manifest(warehouse, name, version)
    if found is not None:
        return found
    if version is not None and (newest := find_manifest(warehouse, name)) is not None:
        raise TrainingSetMissing(f"training set '{name}' has no version {version}; the newest is {newest.version}.")
    names = [manifest.name for manifest in manifests(warehouse)]
    raise TrainingSetMissing(
        f"there is no training set '{name}'.{did_you_mean(name, names)} Build one: "
        "ziggurat training-set --service … --spine … --out …"
    )


def manifests(warehouse: Warehouse) -> list[Manifest]:
    """The newest of every training set, by name."""
    found = (find_manifest(warehouse, name) for name in names_in(f"{warehouse.root}/training_sets"))
    return [manifest for manifest in found if manifest is not None]


def manifest_called(warehouse: Warehouse, text: str) -> Manifest:
    """By `name`, `name@version` or the path of a manifest file. Raises TrainingSetMissing, or StorageError as above."""
    if text.endswith(".json"):
        found = _read(text)
        if found is None:
            raise TrainingSetMissing(f"there is no manifest at {text}.")
        return found
    named = re.fullmatch(r"(.+)@(\d+)", text)
    return manifest_of(warehouse, named[1], int(named[2])) if named else manifest_of(warehouse, text)
