"""Give every peer every drawn rule: `python -m benchmarks.conformance`, or only some, by the names of their modules.

Writes results.json, and docs/peers.md from it. The other peers keep their answers.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from benchmarks.conformance import results
from benchmarks.conformance.judge import judged
from benchmarks.conformance.page import PEERS, page
from benchmarks.conformance.questions import question
from benchmarks.conformance.sessions import opened
from tests.spec.pit_join.rules import RULES

PROJECT_ROOT = Path(__file__).parents[2]


def run_peer(name: str, scratch: Path) -> None:
    module = import_module(f"benchmarks.conformance.peers.{name}")
    arguments_of_peer: dict[str, Any] = {"scratch": scratch}
    if "spark" in signature(module.Peer).parameters:
        arguments_of_peer["spark"] = opened(scratch)
    peer = module.Peer(**{part: arguments_of_peer[part] for part in signature(module.Peer).parameters})
    answers = {}
    for rule in RULES:
        answers[rule.says] = judged(module, peer, question(rule))
        sys.stdout.write(f"{module.NAME}: {answers[rule.says].verdict:9} {rule.says}\n")
    results.keep(name, module.NAME, module.VERSION, answers)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description=__doc__)
    parser.add_argument("peers", nargs="*", help=f"of {', '.join(PEERS)}; all of them, if none is named")
    names = parser.parse_args(arguments).peers or PEERS
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        for name in names:
            run_peer(name, Path(scratch))
    (PROJECT_ROOT / "docs" / "peers.md").write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
