"""A training set's pages, drawn from its manifest: the certificate (also as JSON) and the card."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jobs.training_set.manifest import Manifest, folder_of
from lakehouse.tables import Warehouse, place_file, place_text, read_text
from reports import write_card, write_certificate
from reports.training_set import (
    BalancePoint,
    CardColumn,
    CardPage,
    CertificateCheck,
    CertificatePage,
    LeakTestChange,
    LeakTestInstant,
    LeakTestResult,
    ViewEvidence,
)


def write_pages(warehouse: Warehouse, manifest: Manifest) -> tuple[str, str]:
    """Writes certificate.html, card.html and certificate.json beside the manifest; the paths of the two pages."""
    folder = folder_of(warehouse, manifest.name)
    with tempfile.TemporaryDirectory() as drafts:
        certificate = write_certificate(_certificate(manifest), Path(drafts) / "certificate.html")
        card = write_card(_card(manifest.card), Path(drafts) / "card.html")
        pages = (
            place_file(certificate, f"{folder}/certificate.html"),
            place_file(card, f"{folder}/card.html"),
        )
    place_text(_certificate_text(manifest), f"{folder}/certificate.json")
    return pages


def write_owed_pages(warehouse: Warehouse, manifest: Manifest) -> None:
    """The same, if a run was killed between the manifest and the last of its pages."""
    if read_text(f"{folder_of(warehouse, manifest.name)}/certificate.json") != _certificate_text(manifest):
        write_pages(warehouse, manifest)


def _certificate_text(manifest: Manifest) -> str:
    """As the manifest holds it, with the proof's result in words."""
    proof = leak_test_of(manifest.certificate)
    told = {"told": proof.told(manifest.name), **asdict(proof)}
    certificate = {**manifest.certificate, "options": _options(manifest), "proof": told}
    return json.dumps(certificate, indent=1, ensure_ascii=False) + "\n"


def _certificate(manifest: Manifest) -> CertificatePage:
    told = manifest.certificate
    lists = {name: tuple(told[name]) for name in ("reasons", "warnings", "static_sources")}
    checks = tuple(CertificateCheck(**check) for check in told["checks"])
    views = tuple(ViewEvidence(**view) for view in told["views"])
    more = {"options": _options(manifest), "proof": leak_test_of(told)}
    return CertificatePage(**{**told, **lists, "checks": checks, "views": views, **more})


def _options(manifest: Manifest) -> dict[str, Any]:
    """What was asked for, a line each; those that nobody gave are left out."""
    options = dict(manifest.options)
    keys = {f"spine's name of {key}": column for key, column in options.pop("keys", {}).items()}
    nested = {name: found for name, found in options.items() if isinstance(found, Mapping)}
    flat = {name: found for name, found in options.items() if name not in nested}
    inner = {f"{name}: {part}": _plain(value) for name, found in nested.items() for part, value in found.items()}
    return {**flat, **keys, **inner}


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def leak_test_of(certificate: Mapping[str, Any]) -> LeakTestResult:
    """The future-poison test that a manifest's certificate tells of; a certificate of before it had none."""
    told = certificate.get("proof") or {}
    instants = tuple(LeakTestInstant(**each) for each in told.get("instants", ()))
    changes = tuple(LeakTestChange(**each) for each in told.get("changes", ()))
    poisons = tuple(told.get("poisons", ()))
    return LeakTestResult(**{**told, "instants": instants, "changes": changes, "poisons": poisons})


def _card(told: Mapping[str, Any]) -> CardPage:
    lists = {name: tuple(told[name]) for name in ("reasons", "warnings")}
    balance = tuple(BalancePoint(**point) for point in told["balance"])
    columns = tuple(CardColumn(**column) for column in told["columns"])
    return CardPage(**{**told, **lists, "balance": balance, "columns": columns})
