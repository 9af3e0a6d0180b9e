"""Processor time and memory of a process and all below it: Spark's JVM and its Python workers. Not on Linux: 0."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_PAGE, _TICK = (os.sysconf(name) if hasattr(os, "sysconf") else 1 for name in ("SC_PAGE_SIZE", "SC_CLK_TCK"))


@dataclass(frozen=True)
class _Process:
    parent: int
    cpu_ticks: int  # its own and those of its children that ended and were waited for
    resident: int


def cpu_seconds(root: int) -> float:
    """User and system time that the tree has used since its start; what ended without being waited for is missing."""
    return sum(process.cpu_ticks for process in _tree(root).values()) / _TICK


def resident_mb(root: int) -> float:
    """What the tree holds in memory now; a page that two processes share counts for each."""
    tree = _tree(root)
    return sum(held.resident for process, held in tree.items() if not _is_lent(process, tree)) / 1e6


def kill(root: int) -> None:
    """End the tree, children last: pyspark's workers are in a process group of their own."""
    for process in _tree(root):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _is_lent(process: int, tree: dict[int, _Process]) -> bool:
    """A JVM that is about to run `chmod` shows twice for a moment: the child still has all of its parent's memory."""
    parent = tree.get(tree[process].parent)
    if parent is None or tree[process].resident <= 0.9 * parent.resident:
        return False
    return _command(tree[process].parent).endswith(b"java")


def _command(process: int) -> bytes:
    try:
        return (_PROC / str(process) / "cmdline").read_bytes().split(b"\0")[0]
    except OSError:  # it ended
        return b""


def _tree(root: int) -> dict[int, _Process]:
    everyone: dict[int, _Process] = {}
    for folder in _PROC.iterdir() if _PROC.is_dir() else ():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended between the listing and now
                continue
            ticks = sum(int(number) for number in fields[11:15])
            everyone[int(folder.name)] = _Process(int(fields[1]), ticks, int(fields[21]) * _PAGE)
    children: dict[int, list[int]] = {}
    for process, held in everyone.items():
        children.setdefault(held.parent, []).append(process)
    tree, waiting = {}, [root]
    while waiting:
        process = waiting.pop()
        if process in everyone:
            tree[process] = everyone[process]
            waiting += children.get(process, [])
    return tree
