"""HTML and pictures from plain data: no Spark, no network, the same bytes for the same input."""

from reports.card_page import render_card, write_card
from reports.certificate_page import render_certificate, write_certificate
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
from reports.training_set import (
    BalancePoint,
    CardColumn,
    CardPage,
    CertificateCheck,
    CertificatePage,
    ViewEvidence,
)

__all__ = [
    "BalancePoint",
    "CardColumn",
    "CardPage",
    "CertificateCheck",
    "CertificatePage",
    "Check",
    "ColumnCard",
    "Profile",
    "QuarantineLine",
    "RunReport",
    "Sample",
    "StepLine",
    "ViewCard",
    "ViewEvidence",
    "render_card",
    "render_certificate",
    "write_card",
    "write_certificate",
    "write_run_report",
]
