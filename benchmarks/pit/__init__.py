"""Whole point-in-time joins, ours and what others would use instead: `make bench-pit`. Read, join, write; see docs."""
