"""The commits of a table, read from the files of its log: milliseconds, where Spark takes a job.

Delta writes what a commit says of itself (operation, metrics, our note) as `commitInfo`, one JSON line of the commit's
file. Where a file or that line is missing, Spark has to be asked.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyarrow import fs


@dataclass(frozen=True)
class Commit:
    """One line of a table's history. `rows` were added by it; null where the operation writes none."""

    version: int
    at: datetime
    operation: str
    user_metadata: str | None
    rows: int | None


def commits_in(system: fs.FileSystem, log: str, versions: Iterable[int]) -> Sequence[Commit] | None:
    """Those versions, in their order; None where a file is missing or has no such line."""
    commits = []
    for version in versions:
        path = f"{log}/{version:020d}.json"
        file = system.get_file_info(path)
        info = _commit_info(system, path) if file.type is fs.FileType.File else None
        if info is None or "inCommitTimestamp" in info:
            return None
        try:
            commits.append(_commit(version, file.mtime, info))
        except (KeyError, TypeError, ValueError, AttributeError):  # written by others, with less or other fields
            return None
    return tuple(commits)


def _commit_info(system: fs.FileSystem, path: str) -> Mapping[str, Any] | None:
    with system.open_input_stream(path) as stream:
        text = stream.read()
    try:
        # Not splitlines(): JSON text may hold other characters that Python takes for the end of a line.
        actions = [json.loads(line) for line in text.split(b"\n") if line]
    except ValueError:
        return None
    return next((action["commitInfo"] for action in actions if "commitInfo" in action), None)


def _commit(version: int, at: datetime, info: Mapping[str, Any]) -> Commit:
    metrics = info.get("operationMetrics", {})
    # A partly replaced file counts its surviving rows as output, too.
    written = (
        int(metrics["numOutputRows"]) - int(metrics.get("numCopiedRows", 0)) if "numOutputRows" in metrics else None
    )
    at = at.astimezone(UTC)
    # Delta tells times of commits in whole milliseconds.
    at = at.replace(microsecond=at.microsecond // 1_000 * 1_000)
    return Commit(version, at, info["operation"], info.get("userMetadata"), written)
