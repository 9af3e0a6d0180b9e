"""The errors of a run in which a slice may not be published."""

from collections.abc import Mapping, Sequence

from definitions.errors import ZigguratError
from quality.verdicts import Outcome, Severity, Verdict, first

MENTIONED = 5


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

    `kept_at`: where the rejected rows are; `has_published`: whether a partition was published before. One slice that
    failed makes it GateFailed, whatever the others are.
    """
    failed = [verdict for verdict in verdicts.values() if verdict.outcome is Outcome.FAILED]
    unchecked = [verdict for verdict in verdicts.values() if verdict.outcome is Outcome.COULD_NOT_CHECK]
    stays = "The previous partition stays published" if has_published else "Nothing is published"
    kept = f"{stays}; the rejected one is kept at {kept_at}."
    if failed:
        failures = [failure for verdict in failed for failure in verdict.failures]
        reasons = first([f.sentence() for f in failures if f.severity is Severity.CRITICAL], MENTIONED)
        return GateFailed(
            f"{view} did not pass its gate: {reasons}.{_unchecked_names(unchecked)} "
            f"{kept} Correct the data or the declared bounds, then run again."
        )
    if unchecked:
        return CouldNotCheck(
            f"{view} could not be checked: {first([verdict.message for verdict in unchecked], MENTIONED)}. "
            f"{kept} This says nothing about the data: correct the check, then run again."
        )
    return None


def _unchecked_names(unchecked: Sequence[Verdict]) -> str:
    names = ", ".join(verdict.slice for verdict in unchecked[:MENTIONED])
    return f" Not checked: {names}{', …' if len(unchecked) > MENTIONED else ''}." if unchecked else ""
