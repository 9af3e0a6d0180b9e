"""A manifest and its certificate as version 0.1 wrote them: every part is there, and the leak test was broken."""

from pathlib import Path

from jobs.training_set.manifest import Manifest
from jobs.training_set.manifest_files import manifest_called
from lakehouse.tables import Warehouse

FILE = Path(__file__).with_name("manifests") / "format_2.json"
CERTIFICATE_FILE = FILE.with_name("format_2_certificate.json")


def stored_manifest() -> Manifest:
    return manifest_called(Warehouse("unused"), str(FILE))
