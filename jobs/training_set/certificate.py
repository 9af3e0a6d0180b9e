"""Gather a training set's certificate from the evidence of the join, the definitions and the release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from pyspark.sql import DataFrame

from definitions.durations import instant_or_none, instant_text
from definitions.registry import key_of
from definitions.services import FeatureService, Selection
from definitions.views import DerivedView
from jobs.build.continued import tables_below
from jobs.inputs.histories import static_sources
from jobs.inputs.reach import RowsBeyond
from jobs.inputs.releases import Released
from jobs.spines.spine import LABEL_TIME
from jobs.training_set.manifest import engines
from kernels.content_hash import ContentHash
from pit_join import History
from pit_join.certificate import Certificate, HistoryEvidence, certify, facts_at_label
from reports.training_set import CertificateCheck, CertificatePage, ViewEvidence


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A staged training set with its evidence, and the spine that it was built from.

    `columns` are those to be published, `profile` and `content` of them; the other hashes are of the spine's columns.
    continued: the derived views of which facts after the table's newest as-of were derived from their sources. beyond:
    the rows that lie after what a source reaches.
    """

    name: str
    service: FeatureService
    origin: str
    knowledge: str
    histories: Sequence[History]
    spine: DataFrame
    rows: DataFrame
    columns: Sequence[str]
    profile: pd.DataFrame
    content: ContentHash
    spine_before: ContentHash
    spine_after: ContentHash
    evidence: Mapping[str, HistoryEvidence]
    released: Released
    continued: Mapping[str, DerivedView]
    beyond: RowsBeyond
    made_at: str


def gather_certificate(joined: Joined) -> CertificatePage:
    """The verdict on the evidence, and the figures of every view. Cost: a small join per history of facts."""
    statics = static_sources(joined.service)
    certificate = certify(
        joined.evidence,
        joined.histories,
        rows_in=joined.spine_before.rows,
        rows_out=joined.spine_after.rows,
        spine_hash_in=joined.spine_before.hex,
        spine_hash_out=joined.spine_after.hex,
        knowledge=joined.knowledge,
        static_sources=statics,
    )
    views = tuple(
        _view(joined, selection, history, joined.evidence[history.name])
        for selection, history in zip(joined.service.features, joined.histories, strict=True)
    )
    return _page(joined, certificate, views, statics)


def _page(
    joined: Joined, certificate: Certificate, views: tuple[ViewEvidence, ...], statics: tuple[str, ...]
) -> CertificatePage:
    return CertificatePage(
        joined.name,
        joined.service.name,
        is_certified=certificate.is_certified,
        reasons=tuple(certificate.reasons),
        warnings=(
            *([] if joined.spine_before.rows else ["the spine has no rows"]),
            *joined.beyond.messages,
            *certificate.warnings,
        ),
        checks=tuple(CertificateCheck(c.promise, c.passed, c.found) for c in certificate.checks),
        views=views,
        static_sources=statics,
        spine={
            "from": joined.origin,
            "rows": joined.spine_before.rows,
            "content hash": joined.spine_before.hex,
        },
        options={"knowledge": joined.knowledge},
        tables=tables_of(joined.service, joined.released, joined.continued),
        versions=engines(),
        content_hash=joined.content.hex,
        release=joined.released.release_id,
        made_at=joined.made_at,
        reach=_reach(joined),
        beyond_reach=joined.beyond.counts,
    )


def _reach(joined: Joined) -> dict[str, str]:
    """By source with a clock, up to when its facts reach, as far as the ledger knows."""
    sources = {key_of(source) for selection in joined.service.features for source in selection.view.sources_below}
    reaches = {key: joined.released.published.newest(key).reach_us for key in sorted(sources)}
    return {key: instant_text(us) for key, us in reaches.items() if us is not None}


def tables_of(service: FeatureService, released: Released, continued: Mapping[str, DerivedView]) -> Mapping[str, int]:
    """The tables that a training set reads: those of its views, and those from which later facts were derived."""
    joined = {key_of(selection.view): released.version(selection.view) for selection in service.features}
    return joined | tables_below(continued.values(), released)


def _view(joined: Joined, selection: Selection, history: History, evidence: HistoryEvidence) -> ViewEvidence:
    at_label = evidence.event_at_label
    if not selection.is_snapshot and history.event_time is not None:
        at_label = facts_at_label(joined.spine, history, label_time=LABEL_TIME)
    return ViewEvidence(
        selection.name,
        key_of(selection.view),
        version=joined.released.version(selection.view),
        clock=_clock(selection, is_continued=key_of(selection.view) in joined.continued),
        availability=history.availability,
        max_age=selection.max_age,
        rows=evidence.rows,
        matched=evidence.matched,
        unseen=evidence.unseen,
        expired=evidence.expired,
        ended=evidence.ended,
        without_key=evidence.without_key,
        ties=evidence.ties,
        event_at_label=at_label,
        available_at_label=evidence.available_at_label,
        newest_event=instant_or_none(evidence.newest_event_us),
        newest_available=instant_or_none(evidence.newest_available_us),
        smallest_event_gap=_seconds(evidence.smallest_event_gap_us),
        smallest_availability_gap=_seconds(evidence.smallest_availability_gap_us),
        is_static=history.event_time is None,
    )


def _clock(selection: Selection, *, is_continued: bool) -> str:
    view = selection.view
    if selection.is_snapshot:
        return "snapshot: what happened before its as-of"
    if selection.is_static:
        return "static: no time"
    edge = "at or before" if view.includes_label_instant else "before"
    beyond = "; those after its newest as-of derived from its sources" if is_continued else ""
    return f"fact: the latest {edge} the label time{beyond}"


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / 1_000_000
