"""Point-in-time joins as whole jobs, ours and what others would use: `make bench-pit`, or `python -m benchmarks.pit`.

Results go to benchmarks/pit/results.json, after each engine, and from it into docs/performance.md.

Finished cases are kept and skipped, so a run that was stopped goes on where it was; --again measures all. Figures
depend on the other work of the machine: measure on a quiet one. Data are in .bench-pit/: up to 15 GB at full size.
"""

import argparse
import shutil
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.pit import page, results
from benchmarks.pit.cases import UPKEEP, Case, cases, warm_up
from benchmarks.pit.data import folder_name, question_of
from benchmarks.pit.engines import ENGINES
from benchmarks.pit.measure import measured
from benchmarks.pit.table import case_table, one_line

FOLDER = Path(__file__).resolve().parents[2] / ".bench-pit"
KEPT_BYTES = 8e9  # of other cases' files; beyond it the oldest go first


def main() -> None:
    options = _options().parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # to end this process ends the worker, too
    is_quick = options.quick
    path = FOLDER / "results-quick.json" if is_quick else results.RESULTS
    FOLDER.mkdir(exist_ok=True)
    known = cases(is_quick=is_quick)
    _check(options.only, [case.name for case in known])
    _check(options.engines, list(ENGINES))
    measured_cases = results.read(path) | {"machine": results.machine(), "versions": results.versions()}
    deadline = time.monotonic() + options.minutes * 60
    for case in known:
        if options.only and case.name not in options.only:
            continue
        if _measure_case(case, options, measured_cases=measured_cases, path=path, deadline=deadline):
            sys.stdout.write(f"\n{case_table(measured_cases, case.name)}\n\n")
    if not is_quick:
        page.main()


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m benchmarks.pit", description=__doc__)
    options.add_argument("--quick", action="store_true", help="small sizes, results in .bench-pit/results-quick.json")
    options.add_argument("--only", action="append", metavar="CASE", help="this case; may be given several times")
    options.add_argument("--engines", nargs="+", metavar="ENGINE", help=f"of {', '.join(ENGINES)}")
    options.add_argument(
        "--runs", type=int, help="default: 7 or 15; 3 if the first took 10 s, one if it took 2 minutes"
    )
    options.add_argument("--limit", type=float, default=300, help="seconds for one run; a longer one is ended")
    options.add_argument("--minutes", type=float, default=600, help="after so many nothing new is begun")
    options.add_argument("--again", action="store_true", help="measure finished cases again")
    return options


def _check(given: list[str] | None, known: list[str]) -> None:
    for name in given or ():
        if name not in known:
            raise SystemExit(f"'{name}' is unknown; there are {', '.join(known)}.")


def _measure_case(
    case: Case, options: argparse.Namespace, *, measured_cases: dict[str, Any], path: Path, deadline: float
) -> bool:
    series = [(engine, False) for engine in case.engines] + [(engine, True) for engine in case.is_sorted]
    has_begun = False
    for engine, is_sorted in series:
        key = results.key_of(case.name, engine, is_sorted=is_sorted)
        is_done = measured_cases["entries"].get(key, {}).get("status") in ("answered", "over the limit")
        if (options.engines and engine not in options.engines) or (is_done and not options.again):
            continue
        if time.monotonic() > deadline:
            _log(f"{key}: no time left; call again to go on")
            return has_begun
        has_begun = True
        _log(f"{key}: {case.rows_each} …")
        entry = _measure(case, engine, is_sorted=is_sorted, options=options)
        measured_cases["cases"][case.name] = asdict(case)
        measured_cases["entries"][key] = entry
        results.write(measured_cases, path)
        _log(f"{key}: {one_line(entry)}")
    return has_begun


def _measure(case: Case, engine: str, *, is_sorted: bool, options: argparse.Namespace) -> dict[str, Any]:
    _make_room(case)
    question = question_of(case, FOLDER / "data", is_sorted=is_sorted)
    small = question_of(warm_up(case), FOLDER / "data", is_sorted=is_sorted)
    if ENGINES[engine].lays_out or engine in UPKEEP:
        layouts = FOLDER / "layouts" / f"{folder_name(case)}{'-kept' * (engine in UPKEEP)}"
        if case.lays_out_anew:
            shutil.rmtree(layouts, ignore_errors=True)
        question = replace(question, layouts=layouts)
        small = replace(small, layouts=FOLDER / "layouts" / folder_name(warm_up(case)))
    is_plain = case.irregular is None or not ENGINES[engine].has_clocks
    head = {"engine": engine, "is_sorted": is_sorted, "question": "plain" if is_plain else "two clocks"}
    head |= {"at": results.now(), "commit": results.commit(), "load_before": round(_load(), 2)}
    scratch = FOLDER / "scratch" / engine
    return head | measured(
        case,
        engine,
        question=question,
        warm_up=small,
        runs=options.runs or case.runs,
        limit=options.limit,
        scratch=scratch,
    )


def _make_room(case: Case) -> None:
    """Keep this case's files, and of the others' at most KEPT_BYTES; layouts only of this case and the small set."""
    kept = {folder_name(case), folder_name(warm_up(case))}
    for folder in _folders("layouts"):
        if folder.name not in kept:
            shutil.rmtree(folder)
    others = [folder for folder in _folders("data") if folder.name not in kept]
    sizes = {folder: sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) for folder in others}
    for folder in sorted(others, key=lambda folder: folder.stat().st_mtime):
        if sum(sizes.values()) <= KEPT_BYTES:
            break
        shutil.rmtree(folder)
        del sizes[folder]


def _folders(kind: str) -> list[Path]:
    folder = FOLDER / kind
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _load() -> float:
    return float(Path("/proc/loadavg").read_text().split()[0])


def _log(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {line}\n")


if __name__ == "__main__":
    main()
