"""A service's selections as histories: the released rows of its views, and how they are joined."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from definitions.durations import duration_us
from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from definitions.sources import AvailableColumn, LandingDelay, Source
from definitions.views import AggregateView, CrossEntityView, Definition, DerivedView
from jobs.inputs.attached_layouts import with_attached_layout
from jobs.inputs.releases import Released, rows_of
from jobs.run.context import Context
from pit_join import History
from temporal.order import current_rows
from temporal.versions import with_superseded_at

_CLOCKS = ("event_time", "available_time", "superseded_at")


def histories_of(
    context: Context, service: FeatureService, released: Released, *, keys: Mapping[str, str] | None = None
) -> list[History]:
    """One per selection, in the service's order, with its layout if it has one.

    keys: the service's join key -> the spine's column, where the names differ.
    """
    histories = []
    for selection in service.features:
        make = partial(history_of, context, selection, released, keys=keys or {})
        histories.append(with_attached_layout(context, selection, released, make))
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
        "availability": availability(view),
    }
    if isinstance(view, AggregateView | CrossEntityView):
        columns = [*selection.entity.key_names, *_CLOCKS, *(feature.name for feature in view.published)]
        return History(
            selection.name,
            rows.select(*columns),
            **common,
            available_time="available_time",
            superseded_at="superseded_at",
            is_snapshot=True,
        )
    root = view if isinstance(view, Source) else view.root
    has_versions = bool(released.published.newest(key_of(root)).get("has_versions"))
    if root.is_static:
        frame = current_rows(rows, root, has_versions=has_versions).select(*view.schema)
        return History(selection.name, frame, **common, event_time=None)
    if isinstance(view, Source):
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


def availability(view: Definition) -> str:
    """The origin of a view's available_time, in words (S5, S11, S13)."""
    if isinstance(view, AggregateView | CrossEntityView):
        return f"as-of + {_hours(view.publish_delay_us)} (publish delay)"
    if isinstance(view, DerivedView):
        return "the latest of all facts that a row is made of"
    match view.available:
        case LandingDelay(delay):
            return f"event + {_hours(duration_us(delay))} (landing delay), or the load that brought it late"
        case AvailableColumn(column):
            return f"column {column}"
        case None:
            return "none: static"
        case _:
            return "the load that brought it"


def _hours(us: int) -> str:
    hours = us / 3_600_000_000
    return f"{hours:g} h"


def static_sources(service: FeatureService) -> tuple[str, ...]:
    """Every static source that a value of the service depends on, however far down (S10)."""

    def below(view: Definition) -> set[str]:
        if isinstance(view, Source):
            return {key_of(view)} if view.is_static else set()
        return set().union(*(below(up) for up in view.upstream))

    return tuple(sorted(set().union(*(below(selection.view) for selection in service.features))))
