"""Write the generated pages of docs/: `python -m docs`. With --check: write nothing, say which are out of date."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.conformance import page as peers
from definitions.durations import SECOND_US
from definitions.expressions.functions import FUNCTIONS
from definitions.features import Feature, Limits
from definitions.registry import LAYERS, Registry, documentation, key_of, load
from definitions.services import FeatureService
from definitions.sources import AvailableColumn, LandingDelay, LoadTime, Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView
from docs import point_in_time, structure
from features.entities import household, product
from ziggurat.cli.catalogue import formula

HERE = Path(__file__).parent
_NOTE = "<!-- Written by `python -m docs` from the definitions. Change those, then run `make docs`. -->"
_LANGUAGE = """\
Expressions are Spark SQL text. Each one is parsed, checked against the columns' declared types, and written anew
before Spark sees it. Nothing outside this page gets through: [why](adr/0001-definitions-are-data-with-sql-text.md).

- **Values:** `1`, `0.5`, `1e6`, `'text'`, `true`, `null`, `date'2017-11-30'`, `timestamp'2017-11-30T00:00:00Z'`.
- **Operators:** `+ - *`, `= <> < <= > >= <=>`, `and or not`, `is null`, `in (…)`, `between`, `like`, `case when`.
- **Casts:** `cast(x as type)` and `try_cast(x as type)`. Dropped decimals are rounded half-even.
- **Division:** there is no `/`. `try_divide(a, b)` is null where `b` is 0, and always a double.
- **Time:** a part of a day belongs to a zone, so write `local_hour(event_time, 'America/New_York')`.
- **In aggregate views,** `as_of` is the snapshot's instant T, and a feature may read those declared above it."""
_LAYER_TITLES = {
    "raw": "Raw: sources as they arrived, typed",
    "derived": "Derived: one row per source row",
    "aggregate": "Aggregate: one row per entity and as-of instant",
    "cross_entity": "Cross-entity: an entity beside its group",
}


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "features.md": catalogue(load()),
        "expressions.md": expressions(),
        "point-in-time.md": point_in_time.page(),
        "peers.md": peers.page(),
        "structure.md": structure.page(),
    }


def catalogue(registry: Registry) -> str:
    """The catalogue: every source and view with every column, its type, unit, formula and bounds."""
    views = [d for d in registry.definitions if not isinstance(d, Source)]
    count = sum(len(_features(view)) + len(getattr(view, "looked_up", ())) for view in views)
    parts = [
        "# The catalogue of features",
        _NOTE,
        f"{len(views)} views above raw publish {count} features, about {household.name}s and {product.name}s. "
        "`ziggurat describe VIEW` prints the same for one view. What `event_time`, windows and null mean stands in "
        "[semantics.md](semantics.md); the words stand in the [glossary](../GLOSSARY.md).",
    ]
    for layer in LAYERS:
        here = [d for d in registry.definitions if d.layer == layer]
        rows = [[f"[`{key_of(d)}`](#{_anchor(key_of(d))})", _grain(d), documentation(d)] for d in here]
        parts += [f"## {_LAYER_TITLES[layer]}", _table(["table", "one row per", "what it says"], rows)]
        parts += [_section(d) for d in here]
    parts += ["## Services: what each model reads", *map(_service, registry.services)]
    labels = [[f"`{each.name}`", f"`{each.column}`", each.doc] for each in registry.labels]
    parts += ["## Labels: what each model predicts", _table(["label", "column", "what it says"], labels)]
    return "\n\n".join(parts) + "\n"


def _service(service: FeatureService) -> str:
    keys = " × ".join(f"`{key}`" for key, _ in service.keys)
    rows = [
        [f"`{column.name}`", column.type, column.unit, selection.max_age]
        for selection in service.features
        for column in selection.columns
    ]
    told = f"{service.doc[0].upper()}{service.doc[1:]}. Joined by {keys} and `label_time`. Owner: {service.owner}."
    return "\n\n".join([f"### {service.name}", told, _table(["column", "type", "unit", "max age"], rows)])


def expressions() -> str:
    """The functions that an expression may call, and the rest of its language."""
    rows = [[f"`{each.reads}`"] for _, each in sorted(FUNCTIONS.items())]
    return "\n\n".join(["# What an expression may say", _NOTE, _LANGUAGE, _table(["function"], rows)]) + "\n"


def _section(definition: Definition) -> str:
    facts = [
        f"One row per {_grain(definition)}. Owner: {definition.owner}.",
        *([f"Reads {_links(definition.upstream)}."] if definition.upstream else []),
        *_clocks(definition),
    ]
    return "\n\n".join([f"### {key_of(definition)}", documentation(definition), " ".join(facts), _columns(definition)])


def _columns(definition: Definition) -> str:
    if isinstance(definition, Source):
        rows = [
            [f"`{c.name}`", c.type, c.unit, c.doc or (f"`{c.computed}`" if c.computed else ""), "required" * c.required]
            for c in definition.columns
        ]
        return _table(["column", "type", "unit", "what it is", ""], rows)
    looked_up = definition.looked_up if isinstance(definition, DerivedView) else {}
    rows = [[f"`{name}`", type_, "", "looked up", ""] for name, type_ in looked_up.items()]
    rows += [[f"`{f.name}`", f.type, f.unit, _formula(f, definition), _limits(f.limits)] for f in _features(definition)]
    return _table(["feature", "type", "unit", "what it is", "the gate expects"], rows)


def _formula(feature: Feature, definition: Definition) -> str:
    text, _, said = formula(feature, definition).partition("; ")
    return f"`{text.removeprefix('= ')}`{f'; {said}' if said else ''}"


def _features(definition: Definition) -> Sequence[Feature]:
    if isinstance(definition, Source):
        return ()
    return definition.outputs if isinstance(definition, DerivedView) else definition.published


def _limits(limits: Limits) -> str:
    told = [f"≥ {limits.at_least:g}"] if limits.at_least is not None else []
    told += [f"≤ {limits.at_most:g}"] if limits.at_most is not None else []
    told += [f"nulls ≤ {limits.max_null_share:.0%}"] if limits.max_null_share < 1 else []
    return ", ".join(told)


def _grain(definition: Definition) -> str:
    if isinstance(definition, Source):
        return " × ".join(f"`{name}`" for name in definition.identity) or "delivered row"
    if isinstance(definition, DerivedView):
        return f"row of `{definition.source.name}`"
    return f"{' × '.join(f'`{name}`' for name in definition.entity.key_names)} and as-of"


def _clocks(definition: Definition) -> list[str]:
    if isinstance(definition, Source):
        return _source_clocks(definition)
    if isinstance(definition, AggregateView | CrossEntityView):
        cut, publish = (us // SECOND_US / 3600 for us in (definition.cut_delay_us, definition.publish_delay_us))
        return [
            f"The snapshot of T holds what happened before T and was known at T + {cut:g} h; "
            f"it is available at T + {publish:g} h."
        ]
    return ["Its clocks are its source's."]


def _source_clocks(source: Source) -> list[str]:
    if source.event_time is None:
        return ["Static: it has no time, and says so (S10)."]
    clock = source.event_time
    known = "known at its start" if clock.known_at_start else "known when it has ended"
    coarse = f", a whole {clock.grain} in {clock.zone}, {known}" if clock.zone else ""
    told = [f"Happened at: `{clock.column}`{coarse}."]
    match source.available:
        case LandingDelay(delay):
            told.append(f"Known {delay} after that." if delay != "0s" else "Known at once.")
        case AvailableColumn(column):
            told.append(f"Known at: `{column}`.")
        case LoadTime():
            told.append("Known when the load that brought it began.")
    return told


def _links(definitions: Sequence[Definition]) -> str:
    keys = [key_of(each) for each in definitions]
    return ", ".join(f"[`{key}`](#{_anchor(key)})" for key in keys)


def _anchor(key: str) -> str:
    """As the common renderers make it from a heading: slashes go, the rest stays."""
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
    told = [f"wrote docs/{name}" for name in stale] or ["the generated pages were up to date"]
    sys.stdout.write("\n".join(told) + "\n")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
