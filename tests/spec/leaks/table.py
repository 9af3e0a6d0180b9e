"""The table in docs/certificate.md of the leaks and what catches them; `python -m tests.spec.leaks.table` writes it."""

import re
from pathlib import Path

from tests.spec.leaks.join_leaks import JOIN_LEAKS
from tests.spec.leaks.layer_leaks import LAYER_LEAKS
from tests.spec.leaks.leak import Leak
from tests.spec.leaks.pyramid_leaks import PYRAMID_LEAKS

PAGE = Path(__file__).parents[3] / "docs" / "certificate.md"
LEAKS: tuple[Leak, ...] = (*JOIN_LEAKS, *LAYER_LEAKS, *PYRAMID_LEAKS)
_TABLE = re.compile(
    r"(?<=<!-- leaks: written by `python -m tests\.spec\.leaks\.table` -->\n).*?(?=<!-- end -->)", re.DOTALL
)


def table() -> str:
    lines = [f"| {leak.name} | {leak.effect} | {', '.join(leak.caught_by)} |" for leak in LEAKS]
    return "\n".join(["", "| leak | what goes wrong | caught by |", "| --- | --- | --- |", *lines, "", ""])


def written() -> str:
    """The page with the table of the current leaks."""
    return _TABLE.sub(lambda _: table(), PAGE.read_text("utf-8"))


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")
