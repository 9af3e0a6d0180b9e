"""Steps of a plan as values: with work, with nothing to do, refused."""

from collections.abc import Mapping

from definitions.errors import SourceError
from definitions.registry import key_of
from definitions.versions import fingerprints
from definitions.views import View
from jobs.build.plan import Action, PlannedStep, PlanState
from lakehouse.table_state import TableState, ViewState


def work(state: PlanState, view: View, action: Action, reason: str) -> PlannedStep:
    """A step that reads the view's upstream at the versions that are published."""
    inputs = {key_of(up): state.published.version(key_of(up)) or 0 for up in view.upstream}
    return PlannedStep(table=key_of(view), action=action, reason=reason, inputs=inputs)


def nothing(table: str, reason: str) -> PlannedStep:
    return PlannedStep(table=table, action=Action.NOTHING, reason=reason)


def refused(table: str, error: SourceError) -> PlannedStep:
    return PlannedStep(table=table, action=Action.REFUSED, reason=str(error), error=error)


def view_state(
    view: View, loaded: Mapping[str, int], *, built_to_us: int | None = None, known_to_us: int | None = None
) -> TableState:
    """What the commit of a step will state about a view's table."""
    built = ViewState(loads=loaded, built_to_us=built_to_us, known_to_us=known_to_us)
    return TableState(columns=fingerprints(view), view=built)


def total(*sizes: int | None) -> int | None:
    """The sum; None where one of them is not known."""
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None
