"""One self-contained page about one run: no script, font or picture is loaded.

It is made for laptop, telephone, dark mode and paper, and has less than 3 MB for the shipped pyramid. Every text is
escaped; the same report gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from definitions.layers import LAYERS, layer_name
from reports import checks, lineage
from reports.model import STATUSES, RunReport, StepLine
from reports.page import environment, write_page
from reports.pyramid import pyramid
from reports.sections import sections

LAYER_NAMES: Mapping[str, str] = {layer: layer_name(layer) for layer in LAYERS}
MARKS: Mapping[str, str] = {
    "published": "✓",
    "unchanged": "=",
    "failed": "✕",
    "blocked": "⊘",
    "could not check": "?",
}
MOST_FINDINGS = 40
"""More would hide the first ones; the table of all checks has every one."""


@dataclass(frozen=True)
class Totals:
    """The figures at the top of the page; rows: those that this run published, without those that were unchanged."""

    views: int
    features: int
    rows: int | None
    quarantined: int
    by_status: Mapping[str, int]
    tone: str


def write_run_report(report: RunReport, path: Path) -> Path:
    """Write the page, whole or not at all, and return its path; raises ReportNotWritten."""
    return write_page(render_run_report(report), path, page="run report", unaffected="the run itself")


def render_run_report(report: RunReport) -> str:
    """The page as text."""
    names = lineage.Names(report.views)
    findings = checks.findings(report.checks, names)
    return (
        environment()
        .get_template("run_report.html.j2")
        .render(
            report=report,
            totals=totals(report),
            pyramid=pyramid(report),
            sections=sections(report),
            steps=sorted(report.steps, key=lambda step: (step.started, step.name)),
            span=span(report),
            findings=findings[:MOST_FINDINGS],
            more_findings=len(findings) - len(findings[:MOST_FINDINGS]),
            gathered=checks.gathered(report.checks, names),
            outcomes=checks.outcomes(report.checks),
            nodes=lineage.nodes(report),
            names=names,
            layers=LAYERS,
            layer_names=LAYER_NAMES,
            marks=MARKS,
        )
    )


def totals(report: RunReport) -> Totals:
    """Features are the columns of all views above raw; the tone is that of the worst step.

    A failed check alone sets no tone: one that only warns leaves its view published.
    """
    statuses = [step.status for step in report.steps]
    by_status = {status: statuses.count(status) for status in STATUSES if status in statuses}
    return Totals(
        views=len(report.views),
        features=sum(len(view.columns) for view in report.views if view.layer != "raw"),
        rows=published_rows(report.steps),
        quarantined=sum(line.rows for line in report.quarantine),
        by_status=by_status,
        tone=next(iter(by_status), "unchanged"),
    )


def published_rows(steps: tuple[StepLine, ...]) -> int | None:
    """None when rows were published but not counted; 0 when none were published."""
    published = [step for step in steps if step.status == "published"]
    return lineage.rows_out(published) if published else 0


def span(report: RunReport) -> float:
    """The length of the time axis: the run's wall time, or the last step's end if that is later."""
    return max([report.seconds, *(step.started + step.seconds for step in report.steps)]) or 1.0
