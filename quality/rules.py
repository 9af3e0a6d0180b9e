"""The expectations that every slice must meet, each a comparison of two columns of the validation table.

A rule applies to the rows whose bound is not null: the first four to features, the rest to the slice itself. So the
suite is the same for every view, and is built once in a process.
"""

from dataclasses import dataclass
from enum import Enum


class Comparison(Enum):
    AT_LEAST = "at least"
    AT_MOST = "at most"
    EQUAL = "equal"


@dataclass(frozen=True)
class Rule:
    """`found` compared with `bound`, both columns of the validation table; `says` stands in the message of a failure.

    A rule that `is_absolute` is critical whatever severity was declared for the row it looks at.
    """

    name: str
    found: str
    comparison: Comparison
    bound: str
    says: str
    is_absolute: bool = False


RULES = (
    Rule("minimum", "minimum", Comparison.AT_LEAST, "at_least", "at least {bound}"),
    Rule("maximum", "maximum", Comparison.AT_MOST, "at_most", "at most {bound}"),
    Rule("null_share", "null_share", Comparison.AT_MOST, "max_null_share", "a null share of at most {bound}"),
    Rule("nans", "nans", Comparison.EQUAL, "nans_allowed", "no NaN or infinite value", is_absolute=True),
    Rule(
        "duplicate_keys",
        "duplicate_keys",
        Comparison.EQUAL,
        "duplicates_allowed",
        "no duplicate key",
        is_absolute=True,
    ),
    Rule("null_keys", "null_keys", Comparison.EQUAL, "null_keys_allowed", "no null key", is_absolute=True),
    Rule("min_rows", "slice_rows", Comparison.AT_LEAST, "min_rows", "at least {bound} rows"),
    Rule(
        "shrinkage",
        "slice_rows",
        Comparison.AT_LEAST,
        "fewest_rows",
        "at least {bound} rows after the {before} published before",
    ),
    Rule(
        "growth",
        "slice_rows",
        Comparison.AT_MOST,
        "most_rows",
        "at most {bound} rows after the {before} published before",
    ),
    Rule(
        "exact_rows",
        "slice_rows",
        Comparison.EQUAL,
        "rows_expected",
        "exactly {bound} rows",
        is_absolute=True,
    ),
)
