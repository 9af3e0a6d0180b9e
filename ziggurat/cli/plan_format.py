"""A plan as a table for people: one line per step, and a last one that sums it up."""

from typing import TYPE_CHECKING

from jobs.build.plan import Action
from ziggurat.cli.terminal import table_text

if TYPE_CHECKING:
    from jobs.build.plan import Plan, PlannedStep

_HEADER = ["table", "action", "reason", "slices", "rows", "bytes"]


def plan_text(plan: "Plan") -> str:
    """The steps, then the notes, then the sum."""
    steps = table_text(_HEADER, [_line(step) for step in plan.steps])
    return "\n".join([steps, "", *(f"  {note}" for note in plan.notes), f"  {_sum(plan)}"])


def _line(step: "PlannedStep") -> list[object]:
    reason = f"{step.reason}; {step.remark}" if step.remark else step.reason
    return [step.table, str(step.action), reason, _slices(step), step.rows, step.bytes]


def _slices(step: "PlannedStep") -> str:
    """The as-ofs or partitions; a delivery has no name that a reader would know."""
    names = () if step.action is Action.INGEST else step.slices
    return f"{names[0]} … {names[-1]} ({len(names)})" if len(names) > 2 else ", ".join(names)


def _sum(plan: "Plan") -> str:
    as_of = f"as of {plan.as_of[0]}" if len(plan.as_of) == 1 else f"{len(plan.as_of)} as-ofs"
    work = plan.count(Action.INGEST, Action.DERIVE, Action.BUILD)
    undecided, stopped = plan.count(Action.UNDECIDED), plan.count(Action.BLOCKED, Action.REFUSED)
    if not work and not undecided and not stopped:
        return f"{as_of}: nothing to do"
    parts = [f"{work} of {len(plan.steps)} steps to do"]
    parts += [f"{undecided} not decided yet"] if undecided else []
    parts += [f"{stopped} refused or blocked"] if stopped else []
    sizes = [f"{plan.rows:,} rows"] if plan.rows else []
    sizes += [_size(plan.bytes)] if plan.bytes else []
    reads = f"; to read, as far as is known: {', '.join(sizes)}" if sizes else ""
    return f"{as_of}: {', '.join(parts)}{reads}"


def _size(count: int) -> str:
    size, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{count:,} bytes" if units[0] == "bytes" else f"{size:.1f} {units[0]}"
