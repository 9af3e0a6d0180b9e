"""A training set's certificate as one page: the verdict first, then the evidence for it, view by view."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reports import numbers
from reports.model import Value
from reports.page import environment, write_page
from reports.stacked import Part, parts
from reports.training_set import CertificatePage, ViewEvidence


@dataclass(frozen=True)
class Gap:
    """A view's smallest gap in words; a gap that ends after the label time is a leak, and is marked as one."""

    words: str
    is_leak: bool


@dataclass(frozen=True)
class Evidence:
    """One view's block: its rows by outcome, and its facts beside them."""

    view: ViewEvidence
    parts: tuple[Part, ...]
    event_gap: Gap
    availability_gap: Gap


def write_certificate(page: CertificatePage, path: Path) -> Path:
    """Write the page, whole or not at all, and return its path; raises ReportNotWritten."""
    return write_page(render_certificate(page), path, page="certificate", unaffected="the training set itself")


def render_certificate(page: CertificatePage) -> str:
    """The page as text: the same certificate gives the same bytes."""
    return (
        environment()
        .get_template("certificate.html.j2")
        .render(
            page=page, spine=_spine(page), evidence=[_evidence(view) for view in page.views], checks=_outcomes(page)
        )
    )


def _spine(page: CertificatePage) -> dict[str, Value]:
    """The figures of the spine, each with what it counts: the training set has a content hash, too."""
    return {"content hash of the spine's rows" if name == "content hash" else name: v for name, v in page.spine.items()}


def _evidence(view: ViewEvidence) -> Evidence:
    outcomes = {
        "matched": view.matched,
        "unseen": view.unseen,
        "expired": view.expired,
        "ended": view.ended,
        "without key": view.without_key,
    }
    return Evidence(
        view,
        parts(view.rows, outcomes),
        event_gap=_gap(view.smallest_event_gap),
        availability_gap=_gap(view.smallest_availability_gap),
    )


def _gap(seconds: float | None) -> Gap:
    if seconds is None:
        return Gap(numbers.NOTHING, is_leak=False)
    if seconds == 0:
        return Gap("at the very label time", is_leak=False)
    side = "before" if seconds > 0 else "after"
    return Gap(f"{numbers.span(seconds)} {side} its label", is_leak=seconds < 0)


def _outcomes(page: CertificatePage) -> Mapping[bool, int]:
    held = sum(check.passed for check in page.checks)
    return {True: held, False: len(page.checks) - held}
