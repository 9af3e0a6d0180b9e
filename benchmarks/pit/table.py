"""Figures as a terminal shows them."""

from typing import Any

from benchmarks.pit.engines import ENGINES
from benchmarks.pit.results import differing, median, of_case
from benchmarks.pit.targets import OURS
from ziggurat.cli.terminal import table_text


def case_table(results: dict[str, Any], case: str) -> str:
    """Medians per engine, and how many times as long and as dear each is as ours by the co-located strategy."""
    if "upkeep" in of_case(results, case):
        return _steps_table(results, case)
    wrong = differing(results, case)
    entries = of_case(results, case)
    ours = entries.get(OURS)
    rows = []
    for name, entry in entries.items():
        wall, cpu, peak = (median(entry, figure) for figure in ("wall", "cpu", "peak_mb"))
        rows.append(
            [
                title_of(name),
                seconds(wall) if wall is not None else status_of(entry),
                seconds(cpu),
                ratio_text(wall, ours, "wall"),
                ratio_text(cpu, ours, "cpu"),
                seconds(peak and peak / 1000),
                len(entry["runs"]),
                ("differs" if name in wrong else "same") if "hash" in entry and name != "limit" else "",
                entry["question"],
            ]
        )
    case_facts = results["cases"][case]
    head = ["engine", "wall s", "cpu s", "× ours", "× ours cpu", "peak GB", "runs", "answer", "question"]
    return f"{case}: {case_facts['title']}, {case_facts['keys']} keys\n{table_text(head, rows)}"


def _steps_table(results: dict[str, Any], case: str) -> str:
    entry = of_case(results, case)["upkeep"]
    rows = [[step["step"], seconds(step["wall"]), seconds(step["cpu"])] for step in entry.get("steps", ())]
    return f"{case}: {results['cases'][case]['title']}\n{table_text(['step', 'wall s', 'cpu s'], rows)}"


def one_line(entry: dict[str, Any]) -> str:
    laid_out = f", laid out in {entry['laid_out']['wall']:.1f} s" if "laid_out" in entry else ""
    if entry.get("steps") and entry["status"] == "answered":
        return f"{len(entry['steps'])} steps in {sum(step['wall'] for step in entry['steps']):.1f} s"
    if not entry["runs"]:
        return f"{status_of(entry)}{laid_out} {entry.get('error', '')}".rstrip()
    walls = " ".join(f"{run['wall']:.2f}" for run in entry["runs"])
    return f"wall {walls} s, cpu {median(entry, 'cpu'):.1f} s, peak {median(entry, 'peak_mb'):,.0f} MB{laid_out}"


def title_of(name: str) -> str:
    engine, _, is_sorted = name.partition(" ")
    return f"{ENGINES[engine].title}{', sorted files' if is_sorted else ''}"


def status_of(entry: dict[str, Any]) -> str:
    return f"> {entry['limit']:.0f} s" if entry["status"] == "over the limit" else entry["status"]


def seconds(value: float | None) -> str:
    """Two digits after the point below ten, one above; nothing for None."""
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def ratio_text(value: float | None, ours: dict[str, Any] | None, figure: str) -> str:
    """How many times ours, or nothing where one of the two is missing."""
    base = median(ours, figure) if ours else None
    return f"{value / base:.1f}" if value is not None and base else ""
