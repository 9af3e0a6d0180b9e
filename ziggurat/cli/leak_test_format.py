"""The result of the leak test on a terminal."""

from typing import TYPE_CHECKING

from ziggurat.cli.terminal import table_text

if TYPE_CHECKING:
    from jobs.training_set.manifest import Manifest


def leak_test_text(manifest: "Manifest") -> str:
    """A leak test that held: its verdict, and at each label time the facts that could not be known."""
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
        caption = "  facts that could not be known, of those that the rows could reach:"
        lines += ["", caption, "", table_text(header, [*rows, total]), ""]
    statics = ", ".join(manifest.certificate.static_sources)
    lines += [f"  static, so left as they are: {statics}"] if statics else []
    return "\n".join([*lines, f"  show it: ziggurat training-set show {manifest.name}"])
