"""What a run is to build."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from definitions.durations import day_or_instant, duration_us
from definitions.errors import DefinitionError, UsageError


@dataclass(frozen=True, kw_only=True)
class Request:
    """The command's words (for the ledger), the instants T, and the views that are selected (none: all)."""

    command: str
    as_ofs_us: tuple[int, ...]
    select: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        return self.command.split(" ")[0]

    @property
    def as_of(self) -> tuple[str, ...]:
        return tuple(day_or_instant(us) for us in self.as_ofs_us)


def as_of_range(start_us: int, end_us: int, every: str) -> tuple[int, ...]:
    """start, start + every, … up to and including end; any duration will do (S4)."""
    if end_us < start_us:
        raise UsageError(
            f"--end {day_or_instant(end_us)} lies before --start {day_or_instant(start_us)}; swap the two."
        )
    try:
        step = duration_us(every, where="--every")
    except DefinitionError as error:
        raise UsageError(str(error)) from None
    if not step:
        raise UsageError(f"--every {every} never leaves --start; write 1d or 7d.")
    return tuple(range(start_us, end_us + 1, step))


def new_run_id(now: datetime) -> str:
    """The second at which the run began, in UTC, and some letters that no other run has."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
