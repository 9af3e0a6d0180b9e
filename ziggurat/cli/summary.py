"""How a run ended, in one line for people or one record for machines."""

from typing import TYPE_CHECKING, Any

from jobs.run.outcome import Status

if TYPE_CHECKING:
    from jobs.run.outcome import RunOutcome


def run_line(outcome: "RunOutcome", report: str | None) -> str:
    if outcome.is_unchanged:
        told = f"{_as_of(outcome)} is published and nothing new was delivered"
        return f"  nothing to do: {told} (release {outcome.release}); {outcome.seconds:.1f} s"
    counts = {status: sum(1 for step in outcome.steps if step.status is status) for status in Status}
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    release = f"release {outcome.release}" if outcome.release else "no release"
    lines = [f"  run {outcome.run_id}, {_as_of(outcome)}: {told}; {release}; {outcome.seconds:.1f} s"]
    blocked = [step for step in outcome.steps if step.status is Status.BLOCKED]
    lines += [f"  {step.table} is blocked: {step.message}" for step in blocked]
    others = {str(step.error): step.table for step in outcome.steps if step.error is not None}
    lines += [f"  {table}: {text}" for text, table in others.items() if text != str(outcome.error)]
    if outcome.error is not None:
        lines.append("  take up what is left with: ziggurat retry")
    if report:
        lines.append(f"  report: {report}")
    return "\n".join(lines)


def run_fields(outcome: "RunOutcome", report: str | None) -> dict[str, Any]:
    return {
        "event": "run",
        "run_id": outcome.run_id,
        "command": outcome.command,
        "as_of": outcome.as_of,
        "seconds": round(outcome.seconds, 1),
        "release": outcome.release,
        "unchanged": outcome.is_unchanged,
        "error": str(outcome.error) if outcome.error else None,
        "report": report,
    }


def _as_of(outcome: "RunOutcome") -> str:
    names = outcome.as_of
    return f"as of {names[0]}" if len(names) == 1 else f"{len(names)} as-ofs from {names[0]} to {names[-1]}"
