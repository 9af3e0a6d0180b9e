"""The peak that a run reports is that of the whole process tree."""

import subprocess
import sys

from jobs.memory import _is_lent, _tree_bytes


def test_what_a_child_holds_is_counted() -> None:
    before = _tree_bytes()
    code = "held = bytearray(200_000_000); print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        grown = _tree_bytes() - before
        child.communicate(b"\n")

    assert grown > 190_000_000


def test_another_program_or_another_python_is_memory_of_its_own() -> None:
    code = "print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert not _is_lent(child.pid, child.pid, {child.pid: 1})  # as much memory, but no Java
        child.communicate(b"\n")
