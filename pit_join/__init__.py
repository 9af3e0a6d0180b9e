"""Joins a spine to histories as they were known at each label time (S14 to S19), with the same result under every
strategy, and certifies what was joined.
"""

from pit_join.certificate import Certificate, certify
from pit_join.evidence import HistoryEvidence, facts_at_label, gather_evidence
from pit_join.history import History
from pit_join.join import explain_join, join_with_evidence, point_in_time_join
from pit_join.layout_writer import lay_out, with_layout
from pit_join.outcomes import evidence_column
from pit_join.strategies import Choice

__all__ = [
    "Certificate",
    "Choice",
    "History",
    "HistoryEvidence",
    "certify",
    "evidence_column",
    "explain_join",
    "facts_at_label",
    "gather_evidence",
    "join_with_evidence",
    "lay_out",
    "point_in_time_join",
    "with_layout",
]
