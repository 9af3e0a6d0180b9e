"""pandas.merge_asof. Among equal times it takes the last row, so that a tie-break is an order of the right side."""

from importlib.metadata import version

import pandas as pd
import pyarrow as pa

from benchmarks.conformance.questions import TIE_BREAK, TIE_BREAKS, Question

NAME, VERSION = "pandas merge_asof", version("pandas")
HAS_STRICT_EDGE = True
KNOWS = {TIE_BREAK, TIE_BREAKS}


class Peer:
    def answer(self, question: Question) -> pa.Table:
        facts = _frame(question.facts.select([*question.keys, "event_time", *_others(question)]))
        joined = pd.merge_asof(
            _frame(question.spine).sort_values("label_time", kind="stable"),
            facts.sort_values(["event_time", *question.tie_break], kind="stable", na_position="first"),
            left_on="label_time",
            right_on="event_time",
            by=list(question.keys),
            tolerance=None if question.max_age is None else pd.Timedelta(question.max_age),
            allow_exact_matches=question.is_inclusive,
        )
        return pa.Table.from_pandas(joined, preserve_index=False)


def _others(question: Question) -> list[str]:
    return list(dict.fromkeys([*question.tie_break, *question.features]))


def _frame(table: pa.Table) -> pd.DataFrame:
    """Arrow's types, so that whole numbers stay whole next to nulls; times as pandas', which the join needs."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    for name in {"label_time", "event_time"} & set(frame.columns):
        frame[name] = table[name].to_pandas()
    return frame
