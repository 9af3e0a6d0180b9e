"""When a value was known: point-in-time joins that answer the same under any strategy (S14 to S19)."""

from pit_join.history import History
from pit_join.join import join_with_evidence, point_in_time_join
from pit_join.outcomes import evidence_column

__all__ = ["History", "evidence_column", "join_with_evidence", "point_in_time_join"]
