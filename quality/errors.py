"""How a run ends when a slice may not be published."""

from collections.abc import Mapping, Sequence

from definitions.errors import ZigguratError
from quality.verdicts import Outcome, Severity, Verdict, first

TOLD = 5


class GateFailed(ZigguratError):
    """An expectation did not hold; what was published before stays published."""

    exit_code = 30


class CouldNotCheck(ZigguratError):
    """The expectations could not be evaluated, so nothing was published: no finding about the data."""

    exit_code = 31


def refusal(
    view: str, verdicts: Mapping[str, Verdict], *, kept_at: str, has_published: bool = True
) -> GateFailed | CouldNotCheck | None:
    """The error to raise for these verdicts, None if all passed.

    `kept_at` is where the rejected rows are, in the caller's words; `has_published` says whether a
    partition was published before. One slice that failed makes it GateFailed, whatever the others are.
    """
    failed = [verdict for verdict in verdicts.values() if verdict.outcome is Outcome.FAILED]
    unchecked = [verdict for verdict in verdicts.values() if verdict.outcome is Outcome.COULD_NOT_CHECK]
    stays = "The previous partition stays published" if has_published else "Nothing is published"
    kept = f"{stays}; the rejected one is kept at {kept_at}."
    if failed:
        critical = [each for verdict in failed for each in verdict.failures if each.severity is Severity.CRITICAL]
        reasons = first([each.sentence() for each in critical], TOLD)
        return GateFailed(
            f"{view} did not pass its gate: {reasons}.{_aside(unchecked)} "
            f"{kept} Mend the data or the declared bounds, then run again."
        )
    if unchecked:
        return CouldNotCheck(
            f"{view} could not be checked: {first([verdict.message for verdict in unchecked], TOLD)}. "
            f"{kept} This says nothing about the data: mend the check, then run again."
        )
    return None


def _aside(unchecked: Sequence[Verdict]) -> str:
    names = ", ".join(verdict.slice for verdict in unchecked[:TOLD])
    return f" Not checked: {names}{', …' if len(unchecked) > TOLD else ''}." if unchecked else ""
