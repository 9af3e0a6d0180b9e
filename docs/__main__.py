"""Write the generated pages of docs/: `python -m docs`. With --check: write nothing, say which are out of date."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.conformance import page as peers
from definitions.clocks import Availability, AvailableColumn, LandingDelay, LoadTime
from definitions.description import ColumnDescription, Description, FactClocks, SnapshotClocks, describe
from definitions.durations import hours_text
from definitions.expressions.functions import FUNCTIONS
from definitions.features import Limits
from definitions.layers import LAYER_CONTENTS, layer_name
from definitions.registry import Registry, load
from definitions.services import FeatureService
from docs import delivered_files, point_in_time, structure
from features.entities import household, product

HERE = Path(__file__).parent
_FEATURE_HEADER = ["feature", "type", "unit", "what it is", "the gate expects"]
_NOTE = "<!-- Written by `python -m docs` from the definitions. Change those, then run `make docs`. -->"
_LANGUAGE = """\
Expressions are Spark SQL text. Each one is parsed, checked against the columns' declared types, and written again
before Spark gets it. Everything outside this page is refused: [why](adr/0001-definitions-are-data-with-sql-text.md).

- **Values:** `1`, `0.5`, `1e6`, `'text'`, `true`, `null`, `date'2017-11-30'`, `timestamp'2017-11-30T00:00:00Z'`.
- **Operators:** `+ - *`, `= <> < <= > >= <=>`, `and or not`, `is null`, `in (…)`, `between`, `like`, `case when`.
- **Casts:** `cast(x as type)` and `try_cast(x as type)`. Dropped decimals are rounded half-even.
- **Division:** there is no `/`. `try_divide(a, b)` is null where `b` is 0, and always a double.
- **Time:** a part of a day belongs to a zone, so write `local_hour(event_time, 'America/New_York')`.
- **In aggregate views,** `as_of` is the snapshot's instant T, and a feature may read those declared above it."""


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "features.md": catalogue(load()),
        "expressions.md": expressions(),
        "point-in-time.md": point_in_time.page(),
        "delivered-files.md": delivered_files.page(),
        "peers.md": peers.page(),
        "structure.md": structure.page(),
    }


def catalogue(registry: Registry) -> str:
    """The catalogue: every source and view with every column, its type, unit, formula and bounds."""
    described = [describe(definition) for definition in registry.definitions]
    views = [view for view in described if view.layer != "raw"]
    count = sum(len(view.columns) for view in views)
    parts = [
        "# The catalogue of features",
        _NOTE,
        f"{len(views)} views above raw publish {count} features, about {household.name}s and {product.name}s. "
        "`ziggurat describe VIEW` prints the same for one view. What `event_time`, windows and null mean is in "
        "[semantics.md](semantics.md); the words are in the [glossary](../GLOSSARY.md).",
    ]
    for layer, contents in LAYER_CONTENTS.items():
        tables = [table for table in described if table.layer == layer]
        rows = [[_link(table.key), _row(table), table.doc] for table in tables]
        title = f"## {layer_name(layer).capitalize()}: {contents}"
        parts += [title, _table(["table", "one row per", "what it holds"], rows), *map(_section, tables)]
    parts += ["## Services: what each model reads", *map(_service, registry.services)]
    labels = [[f"`{label.name}`", f"`{label.column}`", label.doc] for label in registry.labels]
    parts += ["## Labels: what each model predicts", _table(["label", "column", "what it is"], labels)]
    return "\n\n".join(parts) + "\n"


def _service(service: FeatureService) -> str:
    keys = " × ".join(f"`{key}`" for key, _ in service.keys)
    rows = [
        [f"`{column.name}`", column.type, column.unit, selection.max_age]
        for selection in service.features
        for column in selection.columns
    ]
    text = f"{service.doc[0].upper()}{service.doc[1:]}. Joined by {keys} and `label_time`. Owner: {service.owner}."
    return "\n\n".join([f"### {service.name}", text, _table(["column", "type", "unit", "max age"], rows)])


def expressions() -> str:
    """The functions that an expression may call, and the rest of its language."""
    rows = [[f"`{function.reads}`"] for _, function in sorted(FUNCTIONS.items())]
    return "\n\n".join(["# What an expression may contain", _NOTE, _LANGUAGE, _table(["function"], rows)]) + "\n"


def _section(described: Description) -> str:
    facts = [
        f"One row per {_row(described)}. Owner: {described.owner}.",
        *([f"Reads {', '.join(map(_link, described.upstream))}."] if described.upstream else []),
        *_clocks(described),
    ]
    return "\n\n".join([f"### {described.key}", described.doc, " ".join(facts), _columns(described)])


def _columns(described: Description) -> str:
    is_raw = described.layer == "raw"
    header = ["column", "type", "unit", "what it is", ""] if is_raw else _FEATURE_HEADER
    rows = [
        [f"`{c.name}`", c.type, c.unit, _words(c), "required" * c.is_required if is_raw else _limits(c.limits)]
        for c in described.columns
    ]
    return _table(header, rows)


def _words(column: ColumnDescription) -> str:
    return "; ".join(filter(None, (f"`{column.formula}`" if column.formula else "", column.doc)))


def _limits(limits: Limits) -> str:
    bounds = [f"≥ {limits.at_least:g}"] if limits.at_least is not None else []
    bounds += [f"≤ {limits.at_most:g}"] if limits.at_most is not None else []
    bounds += [f"nulls ≤ {limits.max_null_share:.0%}"] if limits.max_null_share < 1 else []
    return ", ".join(bounds)


def _row(described: Description) -> str:
    return described.row.words(quote="`", join=" × ")


def _clocks(described: Description) -> list[str]:
    match described.clocks:
        case FactClocks(event_time=clock, available=available) as clocks:
            return [f"Happened at: `{clock.column}`{clocks.period}.", _availability(available)]
        case SnapshotClocks(cut_delay_us=cut, publish_delay_us=publish):
            return [
                f"The snapshot of T holds what happened before T and was known at T + {hours_text(cut)}; "
                f"it is available at T + {hours_text(publish)}."
            ]
    return ["Static: declared without time (S10)." if described.is_static else "Its clocks are its source's."]


def _availability(available: Availability) -> str:
    match available:
        case LandingDelay(delay):
            return f"Known {delay} after that." if delay != "0s" else "Known at once."
        case AvailableColumn(column):
            return f"Known at: `{column}`."
        case LoadTime():
            return "Known when the load that brought it began."


def _link(key: str) -> str:
    return f"[`{key}`](#{_anchor(key)})"


def _anchor(key: str) -> str:
    """As the common renderers make it from a heading: without slashes."""
    return key.replace("/", "")


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs", description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a page is out of date")
    options = parser.parse_args(arguments)
    stale = [name for name, text in pages().items() if not _holds(HERE / name, text)]
    if options.check:
        for name in stale:
            sys.stderr.write(f"docs/{name} is out of date: run `make docs` and commit it.\n")
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(pages()[name], "utf-8")
    messages = [f"wrote docs/{name}" for name in stale] or ["the generated pages were up to date"]
    sys.stdout.write("\n".join(messages) + "\n")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
