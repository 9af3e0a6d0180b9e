"""HTML and pictures from plain data: no Spark, no network, the same bytes for the same input."""

from reports.model import (
    Check,
    ColumnCard,
    Profile,
    QuarantineLine,
    RunReport,
    Sample,
    StepLine,
    ViewCard,
)
from reports.run_report import write_run_report

__all__ = [
    "Check",
    "ColumnCard",
    "Profile",
    "QuarantineLine",
    "RunReport",
    "Sample",
    "StepLine",
    "ViewCard",
    "write_run_report",
]
