"""A training set's pages, drawn from its manifest: the certificate (also as JSON) and the card."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.manifest import Manifest, folder_of, place_text
from lakehouse.tables import Warehouse, place_file
from reports import write_card, write_certificate
from reports.training_set import (
    BalancePoint,
    CardColumn,
    CardPage,
    CertificateCheck,
    CertificatePage,
    ViewEvidence,
)


def write_pages(warehouse: Warehouse, manifest: Manifest) -> tuple[str, str]:
    """Writes certificate.json, certificate.html and card.html beside the manifest; the paths of the two pages."""
    folder = folder_of(warehouse, manifest.name)
    place_text(json.dumps(manifest.certificate, indent=1, ensure_ascii=False) + "\n", f"{folder}/certificate.json")
    with tempfile.TemporaryDirectory() as drafts:
        certificate = write_certificate(_certificate(manifest.certificate), Path(drafts) / "certificate.html")
        card = write_card(_card(manifest.card), Path(drafts) / "card.html")
        return (
            place_file(certificate, f"{folder}/certificate.html"),
            place_file(card, f"{folder}/card.html"),
        )


def _certificate(told: Mapping[str, Any]) -> CertificatePage:
    lists = {name: tuple(told[name]) for name in ("reasons", "warnings", "static_sources")}
    checks = tuple(CertificateCheck(**check) for check in told["checks"])
    views = tuple(ViewEvidence(**view) for view in told["views"])
    return CertificatePage(**{**told, **lists, "checks": checks, "views": views})


def _card(told: Mapping[str, Any]) -> CardPage:
    lists = {name: tuple(told[name]) for name in ("reasons", "warnings")}
    balance = tuple(BalancePoint(**point) for point in told["balance"])
    columns = tuple(CardColumn(**column) for column in told["columns"])
    return CardPage(**{**told, **lists, "balance": balance, "columns": columns})
