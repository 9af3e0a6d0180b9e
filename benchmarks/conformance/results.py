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
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
    return found


def keep(peer: str, name: str, version: str, answers: Mapping[str, Verdict]) -> None:
    told = {"name": name, "version": version, "answers": {says: asdict(each) for says, each in answers.items()}}
    everything = kept() | {peer: told}
    FILE.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", "utf-8")
