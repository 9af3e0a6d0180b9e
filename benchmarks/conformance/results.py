"""The committed answers: results.json."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.conformance.judge import Verdict

FILE = Path(__file__).parent / "results.json"


def kept() -> dict[str, Any]:
    """By peer: its name, its version, and its verdicts by rule."""
    content: dict[str, Any] = json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
    return content


def keep(peer: str, name: str, version: str, answers: Mapping[str, Verdict]) -> None:
    entry = {"name": name, "version": version, "answers": {says: asdict(verdict) for says, verdict in answers.items()}}
    entries = kept() | {peer: entry}
    FILE.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")
