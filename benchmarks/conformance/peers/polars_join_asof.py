"""polars join_asof. Among equal times it takes the last row, so that a tie-break is an order of the right side."""

from importlib.metadata import version

import polars as pl
import pyarrow as pa

from benchmarks.conformance.questions import TIE_BREAK, TIE_BREAKS, Question

NAME, VERSION = "polars join_asof", version("polars")
HAS_STRICT_EDGE = True
KNOWS = {TIE_BREAK, TIE_BREAKS}


class Peer:
    def answer(self, question: Question) -> pa.Table:
        spine, facts = pl.from_arrow(question.spine), pl.from_arrow(question.facts)
        assert isinstance(spine, pl.DataFrame)
        assert isinstance(facts, pl.DataFrame)
        others = dict.fromkeys([*question.tie_break, *question.features])
        facts = facts.select(*question.keys, "event_time", *others)
        joined = spine.sort("label_time").join_asof(
            facts.sort("event_time", *question.tie_break, nulls_last=False, maintain_order=True),
            left_on="label_time",
            right_on="event_time",
            by=list(question.keys),
            tolerance=question.max_age,
            allow_exact_matches=question.is_inclusive,
            check_sortedness=False,
        )
        return joined.to_arrow()
