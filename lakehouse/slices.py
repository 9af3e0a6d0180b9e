"""Whole slices of a table: the days, or the instants of some days, that a commit replaces."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class WholeSlices:
    """Rows whose `event_date` is one of the dates and, where instants are given, whose `event_time` is one of these."""

    dates: tuple[date, ...]
    instants: tuple[datetime, ...] = ()

    @classmethod
    def of_days(cls, days: Iterable[datetime]) -> "WholeSlices":
        return cls(tuple(sorted({day.astimezone(UTC).date() for day in days})))

    @classmethod
    def of_instants(cls, instants: Iterable[datetime]) -> "WholeSlices":
        moments = tuple(sorted({instant.astimezone(UTC) for instant in instants}))
        return cls(tuple(sorted({moment.date() for moment in moments})), moments)

    @property
    def predicate(self) -> str:
        """The same as SQL: by partition first, then by the instant itself."""
        days = ", ".join(f"date'{day:%Y-%m-%d}'" for day in self.dates)
        times = ", ".join(f"timestamp'{moment.isoformat().replace('+00:00', 'Z')}'" for moment in self.instants)
        return f"event_date in ({days})" + (f" and event_time in ({times})" if times else "")

    def rows_of(self, rows: pa.Table) -> pa.Table:
        """Those of the rows that lie in the slices. rows: with `event_date` and `event_time`."""
        inside = pc.is_in(rows["event_date"], value_set=pa.array(self.dates, pa.date32()))
        return rows.filter(pc.and_(inside, self.has_instant(rows["event_time"])) if self.instants else inside)

    def has_instant(self, event_times: pa.ChunkedArray) -> pa.ChunkedArray:
        """Which of these times are one of the instants."""
        return pc.is_in(event_times, value_set=pa.array(self.instants, event_times.type))
