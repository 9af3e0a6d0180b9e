"""The peak that a run reports is that of the whole process tree."""

import os
import subprocess
import sys
from pathlib import Path

from jobs.run.process_tree import cpu_seconds, resident_mb


def test_what_a_child_holds_and_uses_is_counted() -> None:
    memory, used = resident_mb(os.getpid()), cpu_seconds(os.getpid())
    code = "held = bytearray(200_000_000); sum(range(20_000_000)); print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        grown = resident_mb(os.getpid()) - memory
        spent = cpu_seconds(os.getpid()) - used
        child.communicate(b"\n")

    assert grown > 190
    assert spent > 0.1


def test_another_python_that_is_no_smaller_is_memory_of_its_own() -> None:
    """Only a JVM's child is taken for a fork that is about to become another program."""
    inner_code = "held = bytearray(30_000_000); print(1, flush=True); input()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{inner_code}'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        both, inner = resident_mb(child.pid), max(map(_resident_mb, _children(child.pid)))
        child.communicate(b"\n")

    assert inner > 30
    assert both > inner + 5


def test_a_process_that_is_not_there_has_nothing() -> None:
    assert resident_mb(2**30) == cpu_seconds(2**30) == 0


def _children(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _resident_mb(process: int) -> float:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
