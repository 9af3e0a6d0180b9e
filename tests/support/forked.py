"""Processes of their own that start at once: forked from one that has imported all they need, and started nothing.

A kill test starts a dozen processes; imports would take most of their time. As a program, this module is the process
that forks: a request per line comes in, the exit code of the forked process goes out.
"""

import atexit
import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

PROJECT_ROOT = Path(__file__).parents[2]
IMPORTED = ("tests.e2e.small.killing", "tests.lakehouse.nightly", "jobs.export.job", "jobs.training_set.job")
PATIENCE_S = 300


def run_forked(function: str, *words: object, env: Mapping[str, str] = {}) -> tuple[int, str]:
    """Call `package.module:function` with these words in a process of its own: its exit code and what it printed.

    The code is negative for a process that a signal killed. `env` is added to the variables of this process.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.NamedTemporaryFile("r") as output:
        request = {
            "function": function, "words": [str(word) for word in words],
            "env": {**os.environ, **env}, "folder": str(Path.cwd()), "output": output.name,
        }  # fmt: skip
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        return int(answer), output.read()


@functools.cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked"],
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}, cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(server.communicate)  # closes its input, which ends it
    return server


def _serve() -> None:
    from quality.loading import great_expectations

    for module in IMPORTED:
        importlib.import_module(module)
    great_expectations()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _answer(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _answer(request: dict[str, Any]) -> NoReturn:
    """Run one request in the forked process, and end it."""
    signal.alarm(PATIENCE_S)
    output = os.open(request["output"], os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    module, _, name = request["function"].partition(":")
    code = 1
    try:
        getattr(importlib.import_module(module), name)(*request["words"])
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
