"""An answer as one JSON object: what `ziggurat get --json` prints, and a gateway sends."""

import json
from typing import Any

from definitions.durations import instant_or_none, instant_text
from online_store.answer import Answer, AnsweredFeature, AnsweredKey, AnsweredView
from online_store.values import form_of


def answer_json(answer: Answer) -> str:
    """The service's views and features in their order; values in the form of `online_store.values`, times in UTC."""
    fields = {
        "service": answer.service,
        "fingerprint": answer.fingerprint,
        "keys": {key.name: json_value(key) for key in answer.keys},
        "at": instant_text(answer.at_us),
        "snapshot": answer.snapshot_id,
        "as_of": answer.as_of,
        "release": answer.release,
        "views": [_view_fields(view) for view in answer.views],
    }
    return json.dumps(fields, ensure_ascii=False)


def json_value(part: AnsweredKey | AnsweredFeature) -> Any:
    """A key's or a feature's value as JSON holds it; None for null."""
    return None if part.value is None else form_of(part.type).sent(part.value)


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
            {"name": feature.name, "value": json_value(feature), "type": feature.type, "unit": feature.unit}
            for feature in view.features
        ],
    }
