"""What is declared, as text: `ziggurat list` and `ziggurat describe`. No Spark."""

from typing import Any

from definitions.durations import SECOND_US
from definitions.errors import UnknownName, did_you_mean
from definitions.features import Feature
from definitions.labels import Every, Label
from definitions.registry import Registry, documentation, key_of
from definitions.services import FeatureService
from definitions.sources import Source
from definitions.views import CrossEntityView, Definition, DerivedView
from ziggurat.cli.terminal import table_text


def overview(registry: Registry) -> tuple[list[str], list[list[Any]]]:
    rows = [[key_of(d), len(_columns(d)), first_line(documentation(d))] for d in registry.definitions]
    return ["name", "columns", "what it says"], rows


def models(registry: Registry) -> list[list[Any]]:
    """The same of what is made of them: services and labels."""
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
        return description(registry.get(name))
    except UnknownName:
        known = {each.name for each in (*registry.definitions, *registry.services, *registry.labels)}
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
            f"  asked        {when}",
            f"  {label.column:<12} true: {facts}; null: the data end too early to tell",
        ]
    )


def description(definition: Definition) -> str:
    lines = [
        f"{key_of(definition)}, owned by {definition.owner}",
        "",
        f"  {documentation(definition)}",
        "",
        f"  one row per  {_grain(definition)}",
    ]
    if definition.upstream:
        lines.append(f"  reads        {', '.join(key_of(up) for up in definition.upstream)}")
    lines += [f"  {label:<12} {text}" for label, text in _clocks(definition)]
    return "\n".join([*lines, "", table_text(["column", "type", "unit", "is"], _columns(definition))])


def first_line(text: str) -> str:
    head = text.split(". ")[0].split(": ")[0].split("; ")[0].rstrip(".")
    return head if len(head) <= 72 else f"{head[:71]}…"


def _grain(definition: Definition) -> str:
    if isinstance(definition, Source):
        return ", ".join(definition.identity) or "delivered row"
    if isinstance(definition, DerivedView):
        return f"row of {definition.source.name}"
    return f"{', '.join(definition.entity.key_names)} and as-of"


def _clocks(definition: Definition) -> list[tuple[str, str]]:
    if isinstance(definition, Source):
        if definition.event_time is None:
            return [("clock", "none: static, certified as such")]
        clock = definition.event_time
        coarse = (
            f", a whole {clock.grain} in {clock.zone}, "
            f"{'known at its start' if clock.known_at_start else 'known when it ended'}"
            if clock.zone
            else ""
        )
        return [("event time", f"{clock.column}{coarse}"), ("available", repr(definition.available))]
    if isinstance(definition, DerivedView):
        return []
    cut, publish = definition.cut_delay_us // SECOND_US, definition.publish_delay_us // SECOND_US
    return [
        (
            "as of T",
            f"events before T, known at T + {cut / 3600:g} h; available from T + {publish / 3600:g} h; "
            f"{definition.freshness.name}",
        )
    ]


def _columns(definition: Definition) -> list[list[Any]]:
    if isinstance(definition, Source):
        return [[c.name, c.type, c.unit, c.doc or (c.computed and f"= {c.computed}") or ""] for c in definition.columns]
    outputs = definition.outputs if isinstance(definition, DerivedView) else definition.published
    looked_up = (
        [[name, type_, "", "looked up"] for name, type_ in definition.looked_up.items()]
        if isinstance(definition, DerivedView)
        else []
    )
    return [*looked_up, *([f.name, f.type, f.unit, formula(f, definition)] for f in outputs)]


def formula(feature: Feature, definition: Definition) -> str:
    if feature.operation == "expression" and feature.input is not None:
        text = f"= {feature.input.text}"
    elif isinstance(definition, CrossEntityView):
        whom = "others" if definition.exclude_self else "entities"
        text = f"{feature.operation} of {feature.of}" if feature.of else f"how many {whom} are in the group"
    else:
        what = f"{feature.operation}({feature.input.text if feature.input else '*'})"
        only = f" where {feature.where.text}" if feature.where else ""
        text = f"{what}{only} over {feature.window.label if feature.window else ''}"
    return f"{text}; {feature.doc}" if feature.doc else text
