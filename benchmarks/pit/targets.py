"""The targets of the co-located strategy, and what was measured for each of them."""

from dataclasses import dataclass
from typing import Any

from benchmarks.pit.results import median

OURS = "colocated"
GROWTH = ("spine_250k", "spine_500k", "spine_1000k", "spine_2000k")


@dataclass(frozen=True)
class Target:
    """`is_reached` is None where something needed for it was not measured."""

    requirement: str
    measured: str
    is_reached: bool | None


def targets(results: dict[str, Any]) -> list[Target]:
    return [
        _ahead(results, "m", "duckdb", 2, "at least 2× faster than DuckDB, 1 M × 10 M, one history"),
        _ahead(results, "m", "polars", 2, "at least 2× faster than polars, 1 M × 10 M, one history"),
        _further(results, "duckdb", "DuckDB"),
        _further(results, "polars", "polars"),
        _ahead(results, "m", "tempo", 6, "at least 6× faster than dbl-tempo, 1 M × 10 M"),
        _ahead(results, "m", "feast", 20, "at least 20× faster than Feast's Spark store, 1 M × 10 M"),
        _ahead(results, "s", "feast", 20, "the same at 100 k × 1 M"),
        _linear(results),
        _hot(results),
        _bounded(results),
    ]


def figure(results: dict[str, Any], case: str, engine: str, name: str = "wall") -> float | None:
    """The median of a case's engine, or None: not measured, or over the limit."""
    entry = results["entries"].get(f"{case}/{engine}")
    return median(entry, name) if entry else None


def ratio(results: dict[str, Any], case: str, engine: str) -> tuple[float, bool] | None:
    """How many times as long as ours the engine took; True: at least so many, it was ended at its limit."""
    ours, entry = figure(results, case, OURS), results["entries"].get(f"{case}/{engine}")
    if ours is None or entry is None:
        return None
    theirs = median(entry, "wall")
    if theirs is not None:
        return theirs / ours, False
    return (entry["limit"] / ours, True) if entry["status"] == "over the limit" else None


def _ahead(results: dict[str, Any], case: str, engine: str, times: float, requirement: str) -> Target:
    measured = ratio(results, case, engine)
    if measured is None:
        return Target(requirement, "not measured", None)
    value, is_least = measured
    reached = value >= times or (None if is_least else False)
    return Target(requirement, f"{'more than ' * is_least}{value:.{2 if value < 10 else 0}f}×", reached)


def _further(results: dict[str, Any], engine: str, title: str) -> Target:
    one, ten = ratio(results, "histories_1", engine), ratio(results, "histories_10", engine)
    requirement = f"further ahead of {title} with 10 histories than with 1"
    if one is None or ten is None:
        return Target(requirement, "not measured", None)
    return Target(requirement, f"{ten[0]:.2f}× with 10, {one[0]:.2f}× with 1", ten[0] > one[0])


def _linear(results: dict[str, Any]) -> Target:
    """Each added spine row costs as much in the last doubling as in the first two, give or take 30 %."""
    requirement = "cost linear in spine rows"
    cpu = [figure(results, case, OURS, "cpu") for case in GROWTH]
    if any(value is None for value in cpu):
        return Target(requirement, "not measured", None)
    quarter, _, one, two = (value or 0.0 for value in cpu)
    early, late = (one - quarter) / 0.75, two - one
    growth = f"{early:.1f} CPU s for each million rows from 0.25 M to 1 M, {late:.1f} from 1 M to 2 M"
    return Target(requirement, growth, late <= 1.3 * early)


def _bounded(results: dict[str, Any]) -> Target:
    requirement = "peak memory bounded: five times the rows take at most 1.5× of it"
    usual, large = figure(results, "m", OURS, "peak_mb"), figure(results, "l", OURS, "peak_mb")
    if usual is None or large is None:
        return Target(requirement, "not measured", None)
    return Target(
        requirement, f"{usual / 1000:.1f} GB at 1 M × 10 M, {large / 1000:.1f} GB at 5 M × 50 M", large <= 1.5 * usual
    )


def _hot(results: dict[str, Any]) -> Target:
    requirement = "one key with 10 % of all rows: at most 1.3× the CPU"
    hot, usual = figure(results, "m_hot", OURS, "cpu"), figure(results, "m", OURS, "cpu")
    if hot is None or usual is None:
        return Target(requirement, "not measured", None)
    return Target(requirement, f"{hot / usual:.2f}×", hot <= 1.3 * usual)
