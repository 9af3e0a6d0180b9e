"""What the future-poison test looks like on a terminal."""

from typing import TYPE_CHECKING

from ziggurat.cli.terminal import table_text

if TYPE_CHECKING:
    from jobs.training_set.manifest import Manifest


def proof_text(manifest: "Manifest") -> str:
    """A proof that held: what was poisoned at each label time, and the verdict."""
    from jobs.training_set.pages import leak_test_of

    proof = leak_test_of(manifest.certificate)
    sources = list(proof.facts)
    rows = [[each.label_time, each.rows, *(each.poisoned.get(source) for source in sources)] for each in proof.instants]
    total = ["in reach", proof.rows, *(proof.facts[source] for source in sources)]
    header = ["label time", "rows", *(source.split("/")[1] for source in sources)]
    lines = [f"  training set {manifest.name}: {proof.told(manifest.name)}; {proof.seconds:.1f} s"]
    if rows:
        told = "  facts that could not be known, of those that the rows could reach:"
        lines += ["", told, "", table_text(header, [*rows, total]), ""]
    statics = ", ".join(manifest.certificate["static_sources"])
    lines += [f"  static, so never poisoned: {statics}"] if statics else []
    return "\n".join([*lines, f"  show it: ziggurat training-set show {manifest.name}"])
