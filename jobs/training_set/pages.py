"""A training set's pages, drawn from its manifest: the certificate (also as JSON) and the card."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.training_set.manifest import Manifest
from jobs.training_set.manifest_files import folder_of, json_fields, manifest_fields
from lakehouse.tables import Warehouse, place_file, place_text, read_text
from reports import write_card, write_certificate


def write_pages(warehouse: Warehouse, manifest: Manifest) -> tuple[str, str]:
    """Writes certificate.html, card.html and certificate.json beside the manifest; the paths of the two pages."""
    folder = folder_of(warehouse, manifest.name)
    page = replace(manifest.certificate, options=_options(manifest))
    with tempfile.TemporaryDirectory() as drafts:
        certificate = write_certificate(page, Path(drafts) / "certificate.html")
        card = write_card(manifest.card, Path(drafts) / "card.html")
        paths = (
            place_file(certificate, f"{folder}/certificate.html"),
            place_file(card, f"{folder}/card.html"),
        )
    place_text(_certificate_text(manifest), f"{folder}/certificate.json")
    return paths


def write_missing_pages(warehouse: Warehouse, manifest: Manifest) -> None:
    """The same, if a run was killed between the manifest and the last of its pages."""
    if read_text(f"{folder_of(warehouse, manifest.name)}/certificate.json") != _certificate_text(manifest):
        write_pages(warehouse, manifest)


def _certificate_text(manifest: Manifest) -> str:
    """The manifest's certificate as JSON, with the leak test's result also as a sentence."""
    written = json_fields(manifest.certificate)
    leak_test = {"told": manifest.certificate.leak_test.summary(manifest.name), **written["proof"]}
    certificate = {**written, "options": _options(manifest), "proof": leak_test}
    return json.dumps(certificate, indent=1, ensure_ascii=False) + "\n"


def _options(manifest: Manifest) -> dict[str, Any]:
    """The options of the request, a line each; those that were not given are left out."""
    options = manifest_fields(manifest)["options"]
    keys = {f"spine's name of {key}": column for key, column in options.pop("keys", {}).items()}
    nested = {name: option for name, option in options.items() if isinstance(option, Mapping)}
    flat = {name: option for name, option in options.items() if name not in nested}
    inner = {f"{name}: {part}": _plain(value) for name, option in nested.items() for part, value in option.items()}
    return {**flat, **keys, **inner}


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
