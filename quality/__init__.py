"""WHETHER a view may be published: a profile and its expectations in, a verdict per slice out.

The only door to Great Expectations, which takes seconds to import: it is loaded by the first `judge`, or
ahead of it, beside other work, by `preload`. Importing this room loads neither Great Expectations nor Spark.
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
