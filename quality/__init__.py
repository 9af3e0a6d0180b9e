"""Whether a view may be published: a profile and its expectations in, a verdict per slice out.

The only package that uses Great Expectations, which takes seconds to import: the first `judge` loads it, or `preload`
does so ahead of it, beside other work. Importing this package loads neither Great Expectations nor Spark.
`measure` profiles what is staged, `profile_table` gives the rows of the table `profiles`.
"""

from quality.errors import CouldNotCheck, GateFailed, refusal
from quality.gate import judge
from quality.loading import preload
from quality.verdicts import Bounds, FailedExpectation, Outcome, RowRule, Severity, SliceFacts, Verdict

__all__ = [
    "Bounds",
    "CouldNotCheck",
    "FailedExpectation",
    "GateFailed",
    "Outcome",
    "RowRule",
    "Severity",
    "SliceFacts",
    "Verdict",
    "judge",
    "preload",
    "refusal",
]
