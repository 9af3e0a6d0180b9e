"""Figures as a terminal shows them."""

from typing import Any

from benchmarks.pit.engines import ENGINES
from benchmarks.pit.results import differing, median, of_case
from ziggurat.terminal import table_text

OURS = "colocated"


def case_table(results: dict[str, Any], case: str) -> str:
    """Medians per engine, and how many times as long and as dear each is as ours by the co-located strategy."""
    wrong = differing(results, case)
    entries = of_case(results, case)
    ours = entries.get(OURS)
    rows = []
    for name, entry in entries.items():
        wall, cpu, peak = (median(entry, figure) for figure in ("wall", "cpu", "peak_mb"))
        rows.append(
            [
                title_of(name),
                _number(wall) if wall is not None else status_of(entry),
                _number(cpu),
                _ratio(wall, ours, "wall"),
                _ratio(cpu, ours, "cpu"),
                _number(peak and peak / 1000),
                len(entry["runs"]),
                ("differs" if name in wrong else "same") if "hash" in entry and name != "limit" else "",
                entry["question"],
            ]
        )
    case_facts = results["cases"][case]
    head = ["engine", "wall s", "cpu s", "× ours", "× ours cpu", "peak GB", "runs", "answer", "question"]
    return f"{case}: {case_facts['title']}, {case_facts['keys']} keys\n{table_text(head, rows)}"


def one_line(entry: dict[str, Any]) -> str:
    laid_out = f", laid out in {entry['laid_out']['wall']:.1f} s" if "laid_out" in entry else ""
    if not entry["runs"]:
        return f"{status_of(entry)}{laid_out} {entry.get('error', '')}".rstrip()
    walls = " ".join(f"{run['wall']:.2f}" for run in entry["runs"])
    return f"wall {walls} s, cpu {median(entry, 'cpu'):.1f} s, peak {median(entry, 'peak_mb'):,.0f} MB{laid_out}"


def title_of(name: str) -> str:
    engine, _, is_sorted = name.partition(" ")
    return f"{ENGINES[engine].title}{', sorted files' if is_sorted else ''}"


def status_of(entry: dict[str, Any]) -> str:
    return f"> {entry['limit']:.0f} s" if entry["status"] == "over the limit" else entry["status"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _ratio(value: float | None, ours: dict[str, Any] | None, figure: str) -> str:
    base = median(ours, figure) if ours else None
    return f"{value / base:.1f}" if value is not None and base else ""
