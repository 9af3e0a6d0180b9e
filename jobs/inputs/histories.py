"""A service's selections as histories: the released rows of its views, and how they are joined."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from jobs.inputs.attached_layouts import with_attached_layout
from jobs.inputs.releases import Released, rows_of
from jobs.run.context import Context
from pit_join import History
from temporal.order import current_rows
from temporal.versions import with_superseded_at

_CLOCKS = ("event_time", "available_time", "superseded_at")


def histories_of(
    context: Context,
    service: FeatureService,
    released: Released,
    *,
    keys: Mapping[str, str] | None = None,
    rows: Mapping[str, DataFrame] | None = None,
) -> list[History]:
    """One per selection, in the service's order, with its layout if it has one.

    keys: the service's join key -> the spine's column, where the names differ. rows: by table key, the rows to join
    instead of the table's; such a history has no layout.
    """
    histories = []
    for selection in service.features:
        make = partial(history_of, context, selection, released, keys=keys or {})
        given = (rows or {}).get(key_of(selection.view))
        history = make(rows=given) if given is not None else with_attached_layout(context, selection, released, make)
        histories.append(history)
    return histories


def history_of(
    context: Context,
    selection: Selection,
    released: Released,
    *,
    keys: Mapping[str, str],
    rows: DataFrame | None = None,
) -> History:
    """`rows`: some of the table's; None: all of them."""
    view = selection.view
    rows = rows_of(context, view, released) if rows is None else rows
    common: dict[str, Any] = {
        "keys": selection.entity.key_names,
        "spine_keys": tuple(keys.get(key, key) for key in selection.spine_keys),
        "features": selection.names,
        "max_age": selection.max_age or None,
        "availability": view.availability,
    }
    if view.is_snapshot:
        columns = [*selection.entity.key_names, *_CLOCKS, *(feature.name for feature in view.published)]
        return History(
            selection.name,
            rows.select(*columns),
            **common,
            available_time="available_time",
            superseded_at="superseded_at",
            is_snapshot=True,
        )
    root = view.root
    has_versions = released.published.newest(key_of(root)).has_versions
    if root.is_static:
        frame = current_rows(rows, root, has_versions=has_versions).select(*view.schema)
        return History(selection.name, frame, **common, event_time=None)
    if view.is_delivered:
        rows = with_superseded_at(rows, root, has_versions=has_versions)
    return History(
        selection.name,
        rows.select(*view.schema, "superseded_at"),
        **common,
        available_time="available_time",
        superseded_at="superseded_at",
        tie_break=root.tie_break,
        tombstone=root.tombstone or None,
        includes_label_instant=view.includes_label_instant,
    )


def static_sources(service: FeatureService) -> tuple[str, ...]:
    """Every static source that a value of the service depends on, however far down (S10)."""

    sources = [source for selection in service.features for source in selection.view.sources_below]
    return tuple(sorted({key_of(source) for source in sources if source.is_static}))
