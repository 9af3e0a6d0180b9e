"""What a store answers for one service and one row of keys: the service's columns in order, with their age and state.

Values are bit for bit those of the published snapshot (S32); only age takes some away (S18).
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any

from definitions.durations import instant_text
from definitions.errors import UnknownName, UsageError, did_you_mean
from online_store.key_text import key_values
from online_store.snapshot import SnapshotDescription, StoredColumn, StoredSelection, StoredService, StoredView
from online_store.store import SnapshotReader


class State(StrEnum):
    """FRESH is younger than max_age, or has none; EXPIRED is not, and null (S18); UNSEEN has no record (D17), and is
    null; STATIC has no time, and so no age (S10)."""

    FRESH = "fresh"
    EXPIRED = "expired"
    UNSEEN = "unseen"
    STATIC = "static"


@dataclass(frozen=True)
class AnsweredKey:
    name: str
    value: Any
    _: KW_ONLY
    type: str


@dataclass(frozen=True)
class AnsweredFeature:
    """One column of the service, `{selection}__{feature}`. Null: no value, or one that is too old."""

    name: str
    value: Any
    _: KW_ONLY
    type: str
    unit: str


@dataclass(frozen=True)
class AnsweredView:
    """One selection's part. `definition` is the fingerprint of the view's meaning; age is at − event_time, in µs."""

    name: str
    table: str
    _: KW_ONLY
    definition: str
    as_of: str
    event_time_us: int | None
    age_us: int | None
    state: State
    features: tuple[AnsweredFeature, ...]


@dataclass(frozen=True)
class Answer:
    service: str
    fingerprint: str
    _: KW_ONLY
    keys: tuple[AnsweredKey, ...]
    at_us: int
    snapshot_id: str
    as_of: str
    release: int
    views: tuple[AnsweredView, ...]

    @property
    def values(self) -> dict[str, Any]:
        """Every column of the service, in its order."""
        return {feature.name: feature.value for view in self.views for feature in view.features}


def answer(reader: SnapshotReader, service_name: str, keys: Mapping[str, str | int], at_us: int) -> Answer:
    """One row of a service, as of the instant `at_us` (µs since 1970).

    Keys are text, or numbers for whole numbers. Raises UnknownName for a service that the snapshot does not hold;
    UsageError for keys that are missing, unknown or of another type, and for an instant before the snapshot's as-of:
    the store keeps the newest values only. Cost: one look-up per selection.
    """
    description = reader.description
    service = _service(description, service_name, reader.snapshot_id)
    if at_us < description.as_of_us:
        raise UsageError(
            f"{instant_text(at_us)} lies before {description.as_of}, the as-of of this snapshot; give a later instant, "
            "or build a training set, which holds earlier values."
        )
    needed = needed_keys(description, service)
    values = key_values(needed, keys, where=f"service '{service.name}'")
    return Answer(
        service.name,
        service.fingerprint,
        keys=tuple(AnsweredKey(name, values[name], type=type_) for name, type_ in needed.items()),
        at_us=at_us,
        snapshot_id=reader.snapshot_id,
        as_of=description.as_of,
        release=description.release,
        views=tuple(_answered(reader, selection, values, at_us) for selection in service.selections),
    )


def needed_keys(description: SnapshotDescription, service: StoredService) -> dict[str, str]:
    """Every key that a row of this service must name, with its type, in the order of the selections."""
    return {
        spine_key: type_
        for selection in service.selections
        for (spine_key, _), (_, type_) in zip(selection.keys, description.view(selection.table).keys, strict=True)
    }


def _service(description: SnapshotDescription, name: str, snapshot_id: str) -> StoredService:
    for service in description.services:
        if service.name == name:
            return service
    near = did_you_mean(name, [service.name for service in description.services])
    raise UnknownName(f"snapshot {snapshot_id} has no service '{name}'.{near}")


def _answered(
    reader: SnapshotReader, selection: StoredSelection, values: Mapping[str, Any], at_us: int
) -> AnsweredView:
    description = reader.description
    view = description.view(selection.table)
    record = reader.get(view.table, [values[spine_key] for spine_key, _ in selection.keys])
    event_time_us = None if record is None else record.event_time_us
    age_us = None if event_time_us is None or view.is_static else at_us - event_time_us
    state = State.UNSEEN if record is None else _state(view, selection, age_us)
    columns = zip(view.columns, [None] * len(view.columns) if record is None else record.values, strict=True)
    stored = {column.name: (column, value) for column, value in columns}
    return AnsweredView(
        selection.name,
        view.table,
        definition=view.definition,
        as_of=description.as_of,
        event_time_us=event_time_us,
        age_us=age_us,
        state=state,
        features=tuple(_feature(selection, *stored[name], state) for name in selection.features),
    )


def _state(view: StoredView, selection: StoredSelection, age_us: int | None) -> State:
    if view.is_static or age_us is None:
        return State.STATIC
    is_kept = selection.max_age_us is None or age_us < selection.max_age_us
    return State.FRESH if is_kept else State.EXPIRED


def _feature(selection: StoredSelection, column: StoredColumn, value: Any, state: State) -> AnsweredFeature:
    kept = None if state is State.EXPIRED else value
    return AnsweredFeature(f"{selection.name}__{column.name}", kept, type=column.type, unit=column.unit)
