"""What an answer of the online store and an export look like on a terminal."""

import json
from typing import TYPE_CHECKING, Any

from definitions.durations import DAY_US, SECOND_US, instant_text
from online_store.answer import Answer, AnsweredFeature, AnsweredKey, AnsweredView, State
from online_store.answer_json import json_value
from ziggurat.cli.terminal import table_text

if TYPE_CHECKING:
    from jobs.export.job import ExportOutcome

_HOUR_US, _MINUTE_US = 3_600 * SECOND_US, 60 * SECOND_US


def answer_text(answer: Answer) -> str:
    """An answer for people: per view its age and state, then a line per feature."""
    keys = ", ".join(f"{key.name}={_cell(key)}" for key in answer.keys)
    width = max((len(_short(feature, view)) for view in answer.views for feature in view.features), default=0)
    at, release = instant_text(answer.at_us), answer.release
    snapshot = f"at {at}: snapshot {answer.snapshot_id}, as of {answer.as_of}, release {release}"
    return "\n\n".join([f"{answer.service}  {keys}\n{snapshot}", *(_view_text(view, width) for view in answer.views)])


def _view_text(view: AnsweredView, width: int) -> str:
    # A fresh value needs no word; a missing or old one does.
    states = [str(view.state)] if view.state is not State.FRESH else []
    ages = [f"{age_text(view.age_us)} old"] if view.age_us is not None else []
    version = view.table.rpartition("/")[2]
    rows = [(_short(feature, view).ljust(width), _cell(feature), feature.unit) for feature in view.features]
    _, _, *lines = table_text(("", "", ""), rows, indent="    ").splitlines()
    return "\n".join([f"  {view.name} {version}  {view.definition[:12]}  {', '.join([*states, *ages])}", *lines])


def _short(feature: AnsweredFeature, view: AnsweredView) -> str:
    """Without the prefix that stands above it."""
    return feature.name.removeprefix(f"{view.name}__")


def _cell(part: AnsweredKey | AnsweredFeature) -> Any:
    """Numbers for the table to align, and one line of printable text for all else."""
    if part.value is None or isinstance(part.value, bool | int | float):
        return part.value
    text = str(json_value(part))
    return text if text.isprintable() else json.dumps(text)


def age_text(us: int) -> str:
    """In the largest unit that leaves at least two of it, rounded down: `90 s`, `47 h`, `12 d`."""
    for unit_us, unit in ((DAY_US, "d"), (_HOUR_US, "h"), (_MINUTE_US, "min")):
        if us >= 2 * unit_us:
            return f"{us // unit_us:,} {unit}"
    return f"{us // SECOND_US} s"


def export_text(outcome: "ExportOutcome") -> str:
    """What an export wrote, in one line; then a line for each service that was left out."""
    left_out = [f"  {name} was left out: {error}" for name, error in outcome.refused.items()]
    return "\n".join([_export_line(outcome), *left_out])


def _export_line(outcome: "ExportOutcome") -> str:
    if outcome.is_unchanged:
        return f"  nothing to do: {outcome.snapshot_id} is online already; {outcome.seconds:.1f} s"
    return (
        f"  online: snapshot {outcome.snapshot_id}, {outcome.records:,} records of {outcome.views} views "
        f"({outcome.bytes / 1e6:.1f} MB) for {', '.join(outcome.services)}; read back and verified; "
        f"{outcome.seconds:.1f} s"
    )
