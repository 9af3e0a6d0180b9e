"""Published as-ofs that late rows have made stale, and that a run leaves as they are: it names them."""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from math import gcd

from definitions.durations import day_or_instant, instant_us
from definitions.registry import key_of
from definitions.views import AggregateView, CrossEntityView, Definition
from jobs.build.plan import PlanState
from jobs.build.planners import grown_as_ofs, older_as_ofs
from jobs.run.request import Request
from lakehouse.reader import NeedsSpark

_SECOND, _DAY = 1_000_000, 86_400


def stale_notes(state: PlanState, selected: Sequence[Definition], request: Request) -> tuple[str, ...]:
    """The sentence that names them; none where no as-of is stale, or where only Spark could tell and is not there."""
    try:
        note = stale_note(stale_as_ofs(state, selected, request), request)
    except NeedsSpark:
        return ()
    return (note,) if note else ()


def stale_as_ofs(state: PlanState, selected: Sequence[Definition], request: Request) -> list[int]:
    """The as-ofs beside the request's that a build of them would build again for one of the selected views."""
    stale: set[int] = set()
    for view in selected:
        if isinstance(view, AggregateView | CrossEntityView):
            published = {instant_us(name) for name in state.published.slices(key_of(view))}
            older = older_as_ofs(state, view, sorted(published - set(request.as_ofs_us)))
            stale.update(grown_as_ofs(state, view, older))
    return sorted(stale)


def stale_note(stale: Sequence[int], request: Request) -> str:
    """`12 as-ofs before 2024-03-01 no longer hold all that is known: ziggurat plan …`; empty where none is stale."""
    if not stale:
        return ""
    first, last, newest = day_or_instant(stale[0]), day_or_instant(stale[-1]), max(request.as_ofs_us)
    where = f"before {day_or_instant(newest)}" if stale[-1] < newest else f"up to {last}"
    if len(stale) == 1:
        return f"1 as-of {where} no longer holds all that is known: ziggurat plan --as-of {first}"
    step = reduce(gcd, [later - earlier for earlier, later in pairwise(stale)]) // _SECOND
    every = f"{step // _DAY}d" if step % _DAY == 0 else f"{step}s"
    words = f"ziggurat plan --start {first} --end {last} --every {every}"
    return f"{len(stale)} as-ofs {where} no longer hold all that is known: {words}"
