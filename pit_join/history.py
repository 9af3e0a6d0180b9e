"""A history: the facts of one view, and what the join has to know of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pyspark.sql import DataFrame


@dataclass(frozen=True)
class History:
    """Facts with their clocks, to be joined to a spine as they were known at each label time.

    keys             the frame's columns that name whom a fact is about
    spine_keys       the spine's columns that do so, in the same order, if they are called otherwise
    event_time       when it happened; None: a static history, joined by its keys alone (S10)
    available_time   when it could have been known; None: at once, and the certificate says "assumed" (S5)
    superseded_at    when a newer version of the same fact was known, if the frame has worked that out already
    identity         the columns that name one fact (S7): then versions are worked out here, with `version_by` and
                     `retraction`; not together with superseded_at
    features         the columns to bring, as `{name}__{feature}`
    max_age          `30d` or a timedelta (S18)
    tie_break, tombstone                 S9, S8
    includes_label_instant               facts at t itself count (S14); a snapshot's event time T already leaves T out
    availability     where available_time comes from, in words, for the certificate
    """

    name: str
    frame: DataFrame
    keys: tuple[str, ...] = field(kw_only=True)
    features: tuple[str, ...] = field(kw_only=True)
    event_time: str | None = field(default="event_time", kw_only=True)
    available_time: str | None = field(default=None, kw_only=True)
    spine_keys: tuple[str, ...] = field(default=(), kw_only=True)
    max_age: str | timedelta | None = field(default=None, kw_only=True)
    tie_break: Sequence[str] = field(default=(), kw_only=True)
    tombstone: str | None = field(default=None, kw_only=True)
    identity: tuple[str, ...] | None = field(default=None, kw_only=True)
    version_by: str | None = field(default=None, kw_only=True)
    retraction: str | None = field(default=None, kw_only=True)
    superseded_at: str | None = field(default=None, kw_only=True)
    includes_label_instant: bool = field(default=False, kw_only=True)
    is_snapshot: bool = field(default=False, kw_only=True)
    availability: str = field(default="", kw_only=True)
