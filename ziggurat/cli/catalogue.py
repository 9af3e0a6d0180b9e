"""What is declared, as text: `ziggurat list` and `ziggurat describe`. No Spark."""

from typing import Any

from definitions.description import ColumnDescription, Description, FactClocks, SnapshotClocks, describe
from definitions.durations import hours_text
from definitions.errors import UnknownName, did_you_mean
from definitions.labels import Every, Label
from definitions.registry import Registry, documentation, key_of
from definitions.services import FeatureService
from definitions.views import Definition
from ziggurat.cli.terminal import table_text


def overview(registry: Registry) -> tuple[list[str], list[list[Any]]]:
    """A line for each source and view."""
    rows = [[key_of(d), len(d.published), first_line(documentation(d))] for d in registry.definitions]
    return ["name", "columns", "what it says"], rows


def models(registry: Registry) -> list[list[Any]]:
    """A line for each service and label, in the same columns."""
    services = [[f"service/{s.name}", len(s.columns), first_line(s.doc)] for s in registry.services]
    return services + [[f"label/{label.name}", 1, first_line(label.doc)] for label in registry.labels]


def described(registry: Registry, name: str) -> str:
    """A view or source, else a service or a label, in full. Raises UnknownName."""
    plain = name.removeprefix("service/").removeprefix("label/")
    for service in registry.services:
        if service.name == plain:
            return service_description(service)
    for label in registry.labels:
        if label.name == plain:
            return label_description(label)
    try:
        return view_description(registry.get(name))
    except UnknownName:
        known = {named.name for named in (*registry.definitions, *registry.services, *registry.labels)}
        raise UnknownName(f"nothing is called '{name}' in '{registry.package}'.{did_you_mean(name, known)}") from None


def service_description(service: FeatureService) -> str:
    keys = ", ".join(f"{key} ({type_})" for key, type_ in service.keys)
    rows = [
        [column.name, column.type, column.unit, selection.max_age, column.doc]
        for selection in service.features
        for column in selection.columns
    ]
    return "\n".join(
        [
            f"service {service.name}, owned by {service.owner}",
            "",
            f"  {service.doc}",
            "",
            f"  joined by    {keys}, and label_time",
            f"  reads        {', '.join(dict.fromkeys(key_of(selection.view) for selection in service.features))}",
            "",
            table_text(["column", "type", "unit", "max age", "is"], rows),
        ]
    )


def label_description(label: Label) -> str:
    facts = (
        f"{'no' if label.is_absence else 'a'} fact of {key_of(label.source)} in the {label.horizon} from label_time on"
    )
    when = (
        f"every {label.at.step} from {label.at.first} on"
        if isinstance(label.at, Every)
        else f"at the event time of each fact of {key_of(label.at.source)}, about its {key_of(label.at.members)}"
    )
    return "\n".join(
        [
            f"label {label.name}, owned by {label.owner}",
            "",
            f"  {label.doc}",
            "",
            f"  one row per  {', '.join(label.key_names)} and label_time, if seen before in {key_of(label.seen)}",
            f"  label times  {when}",
            f"  {label.column:<12} true: {facts}; null: the data end too early to tell",
        ]
    )


def view_description(definition: Definition) -> str:
    described = describe(definition)
    lines = [
        f"{described.key}, owned by {described.owner}",
        "",
        f"  {described.doc}",
        "",
        f"  one row per  {described.row.words()}",
    ]
    if described.upstream:
        lines.append(f"  reads        {', '.join(described.upstream)}")
    lines += [f"  {label:<12} {text}" for label, text in _clocks(described)]
    rows = [[column.name, column.type, column.unit, _words(column)] for column in described.columns]
    return "\n".join([*lines, "", table_text(["column", "type", "unit", "is"], rows)])


def first_line(text: str) -> str:
    head = text.split(". ")[0].split(": ")[0].split("; ")[0].rstrip(".")
    return head if len(head) <= 72 else f"{head[:71]}…"


def _clocks(described: Description) -> list[tuple[str, str]]:
    match described.clocks:
        case FactClocks(event_time=clock, available=available) as clocks:
            return [("event time", f"{clock.column}{clocks.period}"), ("available", str(available))]
        case SnapshotClocks(cut_delay_us=cut, publish_delay_us=publish, freshness=freshness):
            known = f"events before T, known at T + {hours_text(cut)}"
            return [("as of T", f"{known}; available from T + {hours_text(publish)}; {freshness}")]
    return [("clock", "none: static, certified as such")] if described.is_static else []


def _words(column: ColumnDescription) -> str:
    """The formula, then the documentation."""
    formula = f"= {column.formula}" if column.formula and column.is_expression else column.formula
    return "; ".join(filter(None, (formula, column.doc)))
