"""A training set's pages, drawn from its manifest: the certificate (also as JSON) and the card."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jobs.manifest import Manifest, folder_of, place_text
from lakehouse.tables import Warehouse, place_file, read_text
from reports import write_card, write_certificate
from reports.training_set import (
    BalancePoint,
    CardColumn,
    CardPage,
    CertificateCheck,
    CertificatePage,
    Proof,
    ProofChange,
    ProofInstant,
    ViewEvidence,
)


def write_pages(warehouse: Warehouse, manifest: Manifest) -> tuple[str, str]:
    """Writes certificate.html, card.html and certificate.json beside the manifest; the paths of the two pages."""
    folder = folder_of(warehouse, manifest.name)
    with tempfile.TemporaryDirectory() as drafts:
        certificate = write_certificate(_certificate(manifest.certificate), Path(drafts) / "certificate.html")
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
    proof = proof_of(manifest.certificate)
    told = {**manifest.certificate, "proof": {"told": proof.told(manifest.name), **asdict(proof)}}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _certificate(told: Mapping[str, Any]) -> CertificatePage:
    lists = {name: tuple(told[name]) for name in ("reasons", "warnings", "static_sources")}
    checks = tuple(CertificateCheck(**check) for check in told["checks"])
    views = tuple(ViewEvidence(**view) for view in told["views"])
    return CertificatePage(**{**told, **lists, "checks": checks, "views": views, "proof": proof_of(told)})


def proof_of(certificate: Mapping[str, Any]) -> Proof:
    """The future-poison test that a manifest's certificate tells of; a certificate of before it had none."""
    told = certificate.get("proof") or {}
    instants = tuple(ProofInstant(**each) for each in told.get("instants", ()))
    changes = tuple(ProofChange(**each) for each in told.get("changes", ()))
    return Proof(**{**told, "instants": instants, "changes": changes})


def _card(told: Mapping[str, Any]) -> CardPage:
    lists = {name: tuple(told[name]) for name in ("reasons", "warnings")}
    balance = tuple(BalancePoint(**point) for point in told["balance"])
    columns = tuple(CardColumn(**column) for column in told["columns"])
    return CardPage(**{**told, **lists, "balance": balance, "columns": columns})
