"""When a value was known: point-in-time joins that answer the same under any strategy (S14 to S19)."""

from pit_join.history import History

__all__ = ["History"]
