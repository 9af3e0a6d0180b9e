"""`ziggurat get`: one row of a service from the online store, for people or as JSON. Loads no engine."""

import json
import time
from collections.abc import Sequence
from typing import Any

from definitions.durations import DAY_US, SECOND_US, instant_text, instant_us
from definitions.errors import DefinitionError, UsageError
from online_store.answer import Answer, AnsweredFeature, AnsweredKey, AnsweredView, State, answer
from online_store.answer_json import answer_json, json_value
from online_store.stores import StoreSettings, open_store
from ziggurat.cli.terminal import table_text

_HOUR_US, _MINUTE_US = 3_600 * SECOND_US, 60 * SECOND_US


def look_up(settings: StoreSettings, service: str, pairs: Sequence[str], *, at: str | None, as_json: bool) -> str:
    """The store's answer for keys such as `household_id=1234`, as of `at` (default: now), as text or one JSON object.

    Raises UsageError for keys and instants that can't be read, and what `open` and `answer` raise.
    """
    keys, at_us = _keys(pairs), _instant(at)
    with open_store(settings).open() as reader:
        found = answer(reader, service, keys, at_us)
    return answer_json(found) if as_json else answer_text(found)


def _keys(pairs: Sequence[str]) -> dict[str, str | int]:
    keys: dict[str, str | int] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise UsageError(f"'{pair}' is not a key and its value; write e.g. household_id=1234.")
        if name in keys:
            raise UsageError(f"key '{name}' is given twice; one row is looked up at a time.")
        keys[name] = value
    return keys


def _instant(at: str | None) -> int:
    if at is None:
        return time.time_ns() // 1_000
    try:
        return instant_us(at, where="at")
    except DefinitionError as refused:
        raise UsageError(str(refused)) from None


def answer_text(found: Answer) -> str:
    keys = ", ".join(f"{key.name}={_cell(key)}" for key in found.keys)
    width = max((len(_short(feature, view)) for view in found.views for feature in view.features), default=0)
    origin = (
        f"at {instant_text(found.at_us)}: snapshot {found.snapshot_id}, as of {found.as_of}, release {found.release}"
    )
    return "\n\n".join([f"{found.service}  {keys}\n{origin}", *(_view_text(view, width) for view in found.views)])


def _view_text(view: AnsweredView, width: int) -> str:
    # The state is shown where it says why a value is missing.
    states = [str(view.state)] if view.state is not State.FRESH else []
    ages = [f"{age_text(view.age_us)} old"] if view.age_us is not None else []
    version = view.table.rpartition("/")[2]
    rows = [(_short(feature, view).ljust(width), _cell(feature), feature.unit) for feature in view.features]
    _, _, *lines = table_text(("", "", ""), rows, indent="    ").splitlines()
    return "\n".join([f"  {view.name} {version}  {view.definition[:12]}  {', '.join([*states, *ages])}", *lines])


def _short(feature: AnsweredFeature, view: AnsweredView) -> str:
    """Without the view's prefix, which is the heading."""
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
