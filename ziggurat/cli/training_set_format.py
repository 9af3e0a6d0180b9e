"""What training sets, their versions, leak tests and differences look like on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ziggurat.cli.terminal import table_text

if TYPE_CHECKING:
    from jobs.training_set.diff import Difference, Example
    from jobs.training_set.job import TrainingSet
    from jobs.training_set.manifest import Manifest, SplitPart
    from jobs.training_set.verify import Verification
    from pit_join import Choice
    from reports.training_set import BalancePoint, CardColumn, CertificatePage

_BALANCE_LINES = 14
_BAR = 24


def training_set_text(result: "TrainingSet") -> str:
    manifest = result.manifest
    return "\n".join(
        [
            f"  training set {_called(manifest)}: {manifest.data.rows:,} rows, "
            f"{len(manifest.features)} features of {manifest.service}, release {manifest.release}; {_how(result)}; "
            f"{result.seconds:.1f} s",
            *_verdict(manifest.certificate),
            *split_lines(manifest.split),
            *_copy(manifest),
            f"  show it: ziggurat training-set show {manifest.name}",
        ]
    )


def _called(manifest: "Manifest") -> str:
    return manifest.name if manifest.version == 1 else manifest.called


def _how(result: "TrainingSet") -> str:
    if result.is_unchanged:
        return "nothing to do: nothing has changed since it was built"
    if result.manifest.version == 1:
        return "written"
    if result.added is not None:
        return f"{result.added:,} rows added"
    views = len(result.manifest.views)
    computed = (
        f"{', '.join(result.computed)} joined anew" if 0 < len(result.computed) < views else "all views joined anew"
    )
    return f"written again, {computed}" if result.computed else "written again, known features taken over"


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
        f"  content hash {manifest.data.hash} of all its rows",
        *_verdict(manifest.certificate),
        f"  leak test: {manifest.certificate.leak_test.summary(manifest.name)}",
        *split_lines(manifest.split),
        *_copy(manifest),
    ]
    if card.label:
        counted = "" if card.label_times is None else f"; {card.label_times:,} label times"
        per = f" per {card.grain}" if card.grain else ""
        lines += ["", f"  {card.label} over time{per}{counted}", "", _balance(card.balance, card.grain)]
    lines += ["", _columns(card.columns), "", *(f"  {page}" for page in pages)]
    return "\n".join(lines)


def _balance(points: "Sequence[BalancePoint]", grain: str) -> str:
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
    return table_text([grain or "label time", "rows", "unknown", "yes", ""], rows)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "     –" if share is None else f"{share:6.1%}"


def _columns(columns: "Sequence[CardColumn]") -> str:
    rows = [[c.name, c.type, c.unit, _percent(c.null_share), c.minimum, c.mean, c.maximum] for c in columns]
    return table_text(["column", "type", "unit", "null", "min", "mean", "max"], rows)


def leak_test_text(manifest: "Manifest") -> str:
    """A leak test that passed: which facts were perturbed at each label time, and the verdict."""
    result = manifest.certificate.leak_test
    sources = list(result.facts)
    rows = [
        [instant.label_time, instant.rows, *(instant.unknowable.get(source) for source in sources)]
        for instant in result.instants
    ]
    total = ["in reach", result.rows, *(result.facts[source] for source in sources)]
    header = ["label time", "rows", *(source.split("/")[1] for source in sources)]
    lines = [f"  training set {manifest.name}: {result.summary(manifest.name)}; {result.seconds:.1f} s"]
    if rows:
        heading = "  facts not yet known at the label time, of those that these rows depend on:"
        lines += ["", heading, "", table_text(header, [*rows, total]), ""]
    statics = ", ".join(manifest.certificate.static_sources)
    lines += [f"  static, so never perturbed: {statics}"] if statics else []
    return "\n".join([*lines, f"  show it: ziggurat training-set show {manifest.name}"])


def list_text(manifests: "Sequence[Manifest]") -> str:
    if not manifests:
        return "  no training set yet; build one: ziggurat training-set --service … --spine … --out …"
    return table_text(list(list_line(manifests[0])), [list(list_line(manifest).values()) for manifest in manifests])


def list_line(manifest: "Manifest") -> dict[str, Any]:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "service": manifest.service,
        "rows": manifest.data.rows,
        "certified": "yes" if manifest.certificate.is_certified else "no",
        "made": manifest.made_at,
    }


def verified_text(verification: "Verification") -> str:
    manifest = verification.manifest
    return (
        f"  training set {manifest.called}: built again from its manifest, the same {manifest.data.rows:,} rows, "
        f"content hash {verification.rebuilt}"
    )


def split_lines(split: "SplitPart | None") -> list[str]:
    """A line per part, nothing without a split."""
    if split is None:
        return []
    lines = [[name, part.rows, part.first or "–", part.last or "–"] for name, part in split.parts.items()]
    head = f"  split: validation from {split.validation_from}, test from {split.test_from}, gap {split.gap}"
    return [head, table_text(["part", "rows", "first label time", "last label time"], lines)]


def choices_text(choices: "Sequence[Choice]") -> str:
    rows = [[choice.history, choice.strategy, choice.reason] for choice in choices]
    return "\n".join([table_text(["view", "strategy", "because"], rows), "", "  nothing was built"])


def diff_text(difference: "Difference") -> str:
    a, b = difference.a, difference.b
    lines = [
        f"  {a} and {b}: {difference.rows_in_both:,} rows in both, {difference.only_in_a:,} only in {a}, "
        f"{difference.only_in_b:,} only in {b}"
    ]
    for name, rows in ((a, difference.rows_only_in_a), (b, difference.rows_only_in_b)):
        lines += [f"    labels, only in {name}: {_row(example)}" for example in rows]
    for name, columns in ((a, difference.columns_only_in_a), (b, difference.columns_only_in_b)):
        lines += [f"  columns only in {name}: {', '.join(columns)}"] if columns else []
    lines += [f"  option {name}: {one} and {other}" for name, (one, other) in difference.options.items()]
    for column in difference.columns:
        lines.append(f"  {column.column}: {column.cells:,} cells differ")
        lines += [f"    {reason.why}: {reason.told}" for reason in column.reasons]
        lines += [f"    {_row(example)}: {_cell(example.a)} and {_cell(example.b)}" for example in column.examples]
    if difference.is_same:
        lines.append("  no cell differs")
    return "\n".join(lines)


def _row(example: "Example") -> str:
    return ", ".join(f"{name} {_cell(value)}" for name, value in example.row.items())


def _cell(text: str | None) -> str:
    return "null" if text is None else text
