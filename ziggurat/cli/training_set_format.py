"""What the versions of training sets, and what differs between them, look like on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ziggurat.cli.terminal import table_text

if TYPE_CHECKING:
    from jobs.training_set.diff import Difference, Example
    from jobs.training_set.manifest import Manifest, SplitPart
    from jobs.training_set.verify import Verification
    from pit_join import Choice


def list_text(manifests: "Sequence[Manifest]") -> str:
    if not manifests:
        return "  no training set yet; build one: ziggurat training-set --service … --spine … --out …"
    return table_text(list(list_line(manifests[0])), [list(list_line(each).values()) for each in manifests])


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
    for told, rows in ((a, difference.rows_only_in_a), (b, difference.rows_only_in_b)):
        lines += [f"    labels, only in {told}: {_row(each)}" for each in rows]
    for told, columns in ((a, difference.columns_only_in_a), (b, difference.columns_only_in_b)):
        lines += [f"  columns only in {told}: {', '.join(columns)}"] if columns else []
    lines += [f"  option {name}: {one} and {other}" for name, (one, other) in difference.options.items()]
    for column in difference.columns:
        lines.append(f"  {column.column}: {column.cells:,} cells differ")
        lines += [f"    {reason.why}: {reason.told}" for reason in column.reasons]
        lines += [f"    {_row(each)}: {_cell(each.a)} and {_cell(each.b)}" for each in column.examples]
    if difference.is_same:
        lines.append("  no cell differs")
    return "\n".join(lines)


def _row(example: "Example") -> str:
    return ", ".join(f"{name} {_cell(value)}" for name, value in example.row.items())


def _cell(text: str | None) -> str:
    return "null" if text is None else text
