"""`ziggurat get`: one row of a service from the online store, for people or as JSON. Loads no engine."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from definitions.durations import DAY_US, SECOND_US, instant_or_none, instant_text, instant_us
from definitions.errors import DefinitionError, UsageError
from online_store.answer import Answer, AnsweredFeature, AnsweredKey, AnsweredView, State, answer
from online_store.embedded.store import EmbeddedStore
from online_store.values import form_of
from ziggurat.cli.terminal import table_text

_HOUR_US, _MINUTE_US = 3_600 * SECOND_US, 60 * SECOND_US


def looked_up(folder: str | Path, service: str, pairs: Sequence[str], *, at: str | None, as_json: bool) -> str:
    """What the store in this folder answers for words such as `household_id=1234`, as of `at` (now, when not given).

    As JSON it is one object, with values as `online_store.values` sends them. Raises UsageError for words and instants
    that can't be read, and what `EmbeddedStore.open` and `answer` raise.
    """
    keys, at_us = _keys(pairs), _instant(at)
    with EmbeddedStore(folder).open() as reader:
        found = answer(reader, service, keys, at_us)
    return _json(found) if as_json else _text(found)


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


def _text(found: Answer) -> str:
    keys = ", ".join(f"{key.name}={_cell(key)}" for key in found.keys)
    width = max((len(_short(feature, view)) for view in found.views for feature in view.features), default=0)
    asked = (
        f"at {instant_text(found.at_us)}: snapshot {found.snapshot_id}, as of {found.as_of}, release {found.release}"
    )
    return "\n\n".join([f"{found.service}  {keys}\n{asked}", *(_view_text(view, width) for view in found.views)])


def _view_text(view: AnsweredView, width: int) -> str:
    # That a value is there is no news; why one is missing is.
    states = [str(view.state)] if view.state is not State.FRESH else []
    ages = [f"{age_text(view.age_us)} old"] if view.age_us is not None else []
    version = view.table.rpartition("/")[2]
    rows = [(_short(feature, view).ljust(width), _cell(feature), feature.unit) for feature in view.features]
    _, _, *lines = table_text(("", "", ""), rows, indent="    ").splitlines()
    return "\n".join([f"  {view.name} {version}  {view.definition[:12]}  {', '.join([*states, *ages])}", *lines])


def _short(feature: AnsweredFeature, view: AnsweredView) -> str:
    """Without the prefix that stands above it."""
    return feature.name.removeprefix(f"{view.name}__")


def _cell(of: AnsweredKey | AnsweredFeature) -> Any:
    """Numbers for the table to align, and one line of printable text for all else."""
    if of.value is None or isinstance(of.value, bool | int | float):
        return of.value
    text = str(_sent(of))
    return text if text.isprintable() else json.dumps(text)


def age_text(us: int) -> str:
    """In the largest unit that leaves at least two of it, rounded down: `90 s`, `47 h`, `12 d`."""
    for unit_us, unit in ((DAY_US, "d"), (_HOUR_US, "h"), (_MINUTE_US, "min")):
        if us >= 2 * unit_us:
            return f"{us // unit_us:,} {unit}"
    return f"{us // SECOND_US} s"


def _json(found: Answer) -> str:
    return json.dumps(
        {
            "service": found.service,
            "fingerprint": found.fingerprint,
            "keys": {key.name: _sent(key) for key in found.keys},
            "at": instant_text(found.at_us),
            "snapshot": found.snapshot_id,
            "as_of": found.as_of,
            "release": found.release,
            "views": [_view_fields(view) for view in found.views],
        },
        ensure_ascii=False,
    )


def _view_fields(view: AnsweredView) -> dict[str, Any]:
    return {
        "name": view.name,
        "table": view.table,
        "definition": view.definition,
        "as_of": view.as_of,
        "event_time": instant_or_none(view.event_time_us),
        "age_us": view.age_us,
        "state": str(view.state),
        "features": [
            {"name": feature.name, "value": _sent(feature), "type": feature.type, "unit": feature.unit}
            for feature in view.features
        ],
    }


def _sent(of: AnsweredKey | AnsweredFeature) -> Any:
    return None if of.value is None else form_of(of.type).sent(of.value)
