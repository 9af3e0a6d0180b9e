"""A training set's manifest: one file, placed last, that makes it readable and says all that made it (S36)."""

import json
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from features.errors import did_you_mean
from lakehouse.storage_errors import StorageError
from lakehouse.tables import Warehouse, names_in, place_file, read_text

FORMAT = 1
_ENGINES = ("ziggurat-features", "pyspark", "delta-spark", "pyarrow", "numpy")


class TrainingSetMissing(StorageError):
    """No training set of that name, or one that was never finished."""

    exit_code = 43


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a training set is and came from. `data` names its rows: table version, count and content hash.

    `origin` tells where the spine lay, `spine` what it was: its columns and content hash. `certificate` and `card` are
    what its two pages show.
    """

    name: str
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
    certificate: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=lambda: engines())
    format: int = FORMAT

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
    return place_text(text, f"{folder_of(warehouse, manifest.name)}/manifest.json")


def place_text(text: str, path: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft"
        draft.write_text(text, "utf-8")
        return place_file(draft, path)


def find_manifest(warehouse: Warehouse, name: str) -> Manifest | None:
    """None where there is none; raises for one that a newer version wrote, or that is damaged."""
    path = f"{folder_of(warehouse, name)}/manifest.json"
    text = read_text(path)
    if text is None:
        return None
    try:
        fields = json.loads(text)
        if fields["format"] != FORMAT:
            raise StorageError(
                f"{path} has format {fields['format']}, and this version reads {FORMAT}: use the one that wrote it."
            )
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(
            f"{path} is damaged ({error}). Build the training set again; its rows are not lost."
        ) from error


def manifest_of(warehouse: Warehouse, name: str) -> Manifest:
    found = find_manifest(warehouse, name)
    if found is None:
        names = [n for n in names_in(f"{warehouse.root}/training_sets") if find_manifest(warehouse, n) is not None]
        raise TrainingSetMissing(
            f"there is no training set '{name}'.{did_you_mean(name, names)} Build one: "
            "ziggurat training-set --service … --spine … --out …"
        )
    return found
