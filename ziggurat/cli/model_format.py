"""What labels, training sets, batch frames and exports look like on a terminal."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from definitions.durations import instant_text
from definitions.errors import UsageError
from ziggurat.cli.terminal import table_text
from ziggurat.cli.training_set_format import split_lines

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.export.job import ExportOutcome
    from jobs.spines.labels import LabelOutcome
    from jobs.training_set.job import TrainingSet
    from jobs.training_set.manifest import Manifest
    from reports.training_set import BalancePoint, CardColumn, CertificatePage

_SHOWN_ROWS = 4
_BALANCE_LINES = 14
_BAR = 24
_PARQUET = re.compile(r"_SUCCESS$|\.|part-[^/]*\.parquet$")  # what a frame consists of


def label_text(outcome: "LabelOutcome") -> str:
    label = outcome.label
    known = outcome.rows - outcome.unknown
    share = f"{outcome.positives / known:.1%} of those known" if known else "nothing known"
    lines = [
        f"  label {label.name}: {outcome.rows:,} rows at {outcome.label_times:,} label times"
        + (f", {instant_text(outcome.first_us)} to {instant_text(outcome.last_us)}" if outcome.rows else ""),
        f"  {label.column}: {outcome.positives:,} yes ({share}), {outcome.unknown:,} unknown: "
        f"the data end before {label.horizon} are over",
    ]
    if outcome.not_seen:
        lines.append(f"  {outcome.not_seen:,} left out: not seen before their label time")
    how = "unchanged" if outcome.is_unchanged else "written"
    return "\n".join([*lines, f"  spines/{label.name}, version {outcome.version}, {how}; {outcome.seconds:.1f} s"])


def training_set_text(made: "TrainingSet") -> str:
    manifest = made.manifest
    return "\n".join(
        [
            f"  training set {_called(manifest)}: {manifest.data.rows:,} rows, "
            f"{len(manifest.features)} features of {manifest.service}, release {manifest.release}; {_how(made)}; "
            f"{made.seconds:.1f} s",
            *_verdict(manifest.certificate),
            *split_lines(manifest.split),
            *_copy(manifest),
            f"  show it: ziggurat training-set show {manifest.name}",
        ]
    )


def _called(manifest: "Manifest") -> str:
    return manifest.name if manifest.version == 1 else manifest.called


def _how(made: "TrainingSet") -> str:
    if made.is_unchanged:
        return "nothing to do: it stands as it would be built"
    if made.manifest.version == 1:
        return "written"
    if made.added is not None:
        return f"{made.added:,} rows added"
    views = len(made.manifest.views)
    computed = f"{', '.join(made.computed)} joined anew" if 0 < len(made.computed) < views else "all views joined anew"
    return f"written anew, {computed}" if made.computed else "written anew, known features taken over"


def _copy(manifest: "Manifest") -> list[str]:
    return [f"  parquet: training_sets/{manifest.name}/{manifest.parquet.folder}"] if manifest.parquet else []


def _verdict(certificate: "CertificatePage") -> list[str]:
    passed = sum(check.passed for check in certificate.checks)
    verdict = "certified" if certificate.is_certified else f"NOT certified: {'; '.join(certificate.reasons)}"
    lines = [f"  {verdict}; {passed} of {len(certificate.checks)} checks passed"]
    return lines + [f"  warning: {text}" for text in certificate.warnings]


def card_text(manifest: "Manifest", pages: Sequence[str]) -> str:
    card = manifest.card
    lines = [
        f"training set {_called(manifest)}: {manifest.service}, {card.doc}",
        "",
        f"  {card.rows:,} rows about {card.entities:,} entities; spine: {manifest.origin}; made "
        f"{manifest.made_at} from release {manifest.release}",
        f"  content hash {manifest.data.hash}",
        *_verdict(manifest.certificate),
        f"  leak test: {manifest.certificate.leak_test.summary(manifest.name)}",
        *split_lines(manifest.split),
        *_copy(manifest),
    ]
    if card.label:
        lines += ["", f"  {card.label} over time", "", _balance(card.balance)]
    lines += ["", _columns(card.columns), "", *(f"  {page}" for page in pages)]
    return "\n".join(lines)


def _balance(points: "Sequence[BalancePoint]") -> str:
    """At most some lines, evenly chosen, the first and the last among them."""
    step = max(1, -(-len(points) // _BALANCE_LINES))
    chosen = [*points[:-1:step], points[-1]] if points else []
    shares = [_share(point.positive, point.rows - point.unknown) for point in chosen]
    highest = max((share for share in shares if share), default=1.0)
    rows = [
        [
            point.label_time,
            point.rows,
            point.unknown,
            _percent(share),
            "" if share is None else "█" * round(_BAR * share / highest),
        ]
        for point, share in zip(chosen, shares, strict=True)
    ]
    return table_text(["label time", "rows", "unknown", "yes", ""], rows)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "     –" if share is None else f"{share:6.1%}"


def _columns(columns: "Sequence[CardColumn]") -> str:
    rows = [[c.name, c.type, c.unit, _percent(c.null_share), c.minimum, c.mean, c.maximum] for c in columns]
    return table_text(["column", "type", "unit", "null", "min", "mean", "max"], rows)


def batch_frame_text(frame: "DataFrame", path: str | None) -> str:
    """Writes the frame where it is to go, or shows its first rows."""
    from pyspark.sql import functions as F

    if path is not None:
        rows = _written(frame, path)
        return f"  batch frame: {rows:,} rows, {len(frame.columns)} columns in {path}"
    # As text, in Spark's zone (UTC): collected times would come in this machine's.
    texts = [
        F.concat(F.col(name).cast("string"), F.lit("Z")).alias(name) if type_ == "timestamp" else F.col(name)
        for name, type_ in frame.dtypes
    ]
    few = frame.select(*texts).limit(_SHOWN_ROWS).collect()
    header = ["column", *(f"row {number + 1}" for number in range(len(few)))]
    # A line per column: features are many, and a terminal is narrow.
    lines = [[name, *(_short(row[name]) for row in few)] for name in frame.columns]
    return "\n".join([table_text(header, lines), "", "  write all rows with --out FOLDER"])


def _written(frame: "DataFrame", path: str) -> int:
    """Replaces an earlier batch frame, and nothing else that lies there. The number of rows."""
    from lakehouse.storage_errors import translated_storage_errors
    from lakehouse.tables import names_in

    # Relative paths are this process's: the JVM may have been started in another folder.
    target = path if "://" in path else str(Path(path).absolute())
    others = [Path(target).name] if Path(target).is_file() else [n for n in names_in(target) if not _PARQUET.match(n)]
    if others:
        raise UsageError(f"--out {path}: '{others[0]}' is there already, and no batch frame; name a new folder.")
    with translated_storage_errors(path):
        frame.write.mode("overwrite").parquet(target)
    return frame.sparkSession.read.parquet(target).count()


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
    return "–" if value is None else str(value)


def export_text(outcome: "ExportOutcome") -> str:
    if outcome.is_unchanged:
        return f"  nothing to do: {outcome.snapshot_id} is online already; {outcome.seconds:.1f} s"
    return (
        f"  online: snapshot {outcome.snapshot_id}, {outcome.records:,} records of {outcome.views} views "
        f"({outcome.bytes / 1e6:.1f} MB) for {', '.join(outcome.services)}; read back and verified; "
        f"{outcome.seconds:.1f} s"
    )
