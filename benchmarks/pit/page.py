"""Write docs/performance.md and its figures from the committed results: `python -m benchmarks.pit.page`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.pit import results as results_file
from benchmarks.pit.cases import short
from benchmarks.pit.engines import ENGINES
from benchmarks.pit.results import differing, median, of_case
from benchmarks.pit.table import ratio_text, seconds, status_of, title_of
from benchmarks.pit.targets import GROWTH, OURS, figure, targets

DOCS = Path(__file__).resolve().parents[2] / "docs"
_NOTE = "<!-- Written by `python -m benchmarks.pit.page` from benchmarks/pit/results.json. -->"
_REACHED = {True: "yes", False: "**no**", None: "not known"}
_SECTIONS = (
    ("One history", ("s", "m", "l")),
    ("Several histories", ("histories_1", "histories_4", "histories_10")),
    ("Skewed and even keys", ("m_uniform", "m_hot")),
    ("Late and corrected facts", ("irregular_0", "irregular_1", "irregular_10")),
)
_BEFORE = {
    "Late and corrected facts": "Here the histories have two clocks and an identity. Of the irregular rows half came "
    "one to ten days late, the other half correct an earlier row. Ours join what was known at each label time. "
    "The others have no second clock: they get the plain question on the same files, and return other rows.",
}


def page(results: dict[str, Any]) -> str:
    """The whole page. Cases that were not measured are left out, and targets that need them say so."""
    parts = ["# How fast the point-in-time join is", _NOTE, _introduction(results), "## Targets", _targets(results)]
    parts += ["![Seconds by engine](performance-engines.svg)", "![Seconds by case](performance-cases.svg)"]
    for title, names in _SECTIONS:
        measured = [name for name in names if of_case(results, name)]
        if measured:
            parts += [f"## {title}", *filter(None, [_BEFORE.get(title)]), *(_case(results, name) for name in measured)]
    if any(of_case(results, name) for name in GROWTH):
        parts += ["## More spine rows, the same facts", _growth(results)]
    if of_case(results, "upkeep"):
        parts += ["## What a layout costs", _upkeep(results)]
    parts += ["## How it was measured", _how(results)]
    return "\n\n".join(parts) + "\n"


def _introduction(results: dict[str, Any]) -> str:
    machine = results["machine"]
    machine_text = "The machine: {processor}, {cores} cores, {memory_gb} GB.".format(**machine) if machine else ""
    return (
        "Whole jobs: read parquet, join, write parquet. The same files, one machine, each engine in a process of its "
        f"own, medians. {machine_text} `make bench-pit` measures it again; `make bench-pit ARGS=--quick` does so at "
        "small sizes.\n\n"
        "The question: the latest fact of the same entity with `event_time < label_time`, its whole row, and of equal "
        "event times the one with the larger `seq`. Answers are compared by a hash of all rows and columns."
    )


def _targets(results: dict[str, Any]) -> str:
    rows = [[target.requirement, target.measured, _REACHED[target.is_reached]] for target in targets(results)]
    return (
        "Targets of the co-located strategy. Its layout is written once; that cost is in a table of its own below.\n\n"
        f"{_table(['target', 'measured', 'reached'], rows)}"
    )


def _case(results: dict[str, Any], case: str) -> str:
    facts, wrong = results["cases"][case], differing(results, case)
    entries = of_case(results, case)
    ours = entries.get(OURS)
    is_mixed = len({entry["question"] for entry in entries.values()}) > 1
    rows = []
    for name, entry in entries.items():
        wall, cpu, peak = (median(entry, kind) for kind in ("wall", "cpu", "peak_mb"))
        rows.append(
            [
                f"{title_of(name)}{', plain question' if is_mixed and entry['question'] == 'plain' else ''}",
                seconds(wall) if wall is not None else status_of(entry),
                seconds(cpu),
                ratio_text(wall, ours, "wall"),
                seconds(peak and peak / 1000),
                str(len(entry["runs"])),
                "" if name == "limit" or "hash" not in entry else "**differs**" if name in wrong else "same",
            ]
        )
    head = ["engine", "seconds", "CPU seconds", "× ours", "peak GB", "runs", "answer"]
    size = f"{short(facts['spine_rows'])} × {short(facts['history_rows'])}"
    per_history = " each" if facts["histories"] > 1 else ""
    return f"**{size}{per_history}, {facts['title']}, {facts['keys']} keys**\n\n{_table(head, rows)}"


def _growth(results: dict[str, Any]) -> str:
    rows = []
    for case in (name for name in GROWTH if of_case(results, name)):
        figures = [figure(results, case, engine, name) for engine in (OURS, "limit") for name in ("wall", "cpu")]
        rows.append([short(results["cases"][case]["spine_rows"]), *map(seconds, figures)])
    head = ["spine rows", "co-located, seconds", "CPU seconds", "read and write only, seconds", "CPU seconds"]
    return f"10 M facts, one history. The layout was written once, for all of these.\n\n{_table(head, rows)}"


def _upkeep(results: dict[str, Any]) -> str:
    rows = [
        [step["step"], seconds(step["wall"]), seconds(step["cpu"])]
        for step in of_case(results, "upkeep")["upkeep"].get("steps", ())
    ]
    laid = [
        [short(facts["spine_rows"]), f"{facts['histories']} × {short(facts['history_rows'])}", seconds(layout["wall"])]
        for name, facts in results["cases"].items()
        if (layout := of_case(results, name).get(OURS, {}).get("laid_out"))
    ]
    return (
        "A layout is written once and then brought up to date: each day adds a run, and many runs are compacted into "
        "one. Each step is timed once, on 1 M × 10 M.\n\n"
        f"{_table(['step', 'seconds', 'CPU seconds'], rows)}\n\n"
        f"Written whole before the joins above:\n\n{_table(['spine rows', 'histories × facts', 'seconds'], laid)}"
    )


def _how(results: dict[str, Any]) -> str:
    machine = {name.title(): results["machine"].get(name, "?") for name in ("java", "python")}
    versions = ", ".join(f"{name} {version}" for name, version in (machine | results["versions"]).items())
    notes = [f"- {known.title}: {known.note}." for known in ENGINES.values() if known.note]
    dates = sorted({entry["at"][:10] for entry in results["entries"].values()})
    when = f"Measured {' to '.join(dict.fromkeys((dates[0], dates[-1])))} with {versions}." if dates else ""
    return "\n".join(
        [
            when or "Nothing is measured yet.",
            "",
            "- One file for each month, in no order within it. *Sorted files* are sorted by key and time beforehand; "
            "that sorting is not counted.",
            "- 2 % of feature values are null. One row in a hundred has the key and event time of another.",
            "- Each process first answers a small set (20 k × 200 k). Starting is not counted. Files are in the page "
            "cache.",
            "- Seven runs, fifteen for the growth of the spine; three if the first took 10 seconds, one if it took two "
            "minutes. A run over the limit is ended, and shown as `>` the limit.",
            "- CPU seconds and peak memory are of the whole process tree: Spark's JVM and its Python workers, too.",
            "- All engines on Spark share one session: all cores, 8 GB of heap, shuffle partitions sized to the data.",
            *notes,
            "- Two cores say little about a cluster: there a shuffle also costs network, which the co-located strategy "
            "spares. One machine's engines end where its memory ends.",
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def main() -> None:
    from benchmarks.pit.figures import draw

    results = results_file.read()
    (DOCS / "performance.md").write_text(page(results), "utf-8")
    draw(results, DOCS)


if __name__ == "__main__":
    main()
