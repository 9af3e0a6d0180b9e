"""The parts that all pages share: one Jinja environment that escapes everything, and one way to write a page."""

import contextlib
import os
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from definitions.layers import LAYERS
from reports import numbers
from reports.errors import ReportNotWritten


@cache
def environment() -> Environment:
    """Every text is escaped, an unknown name is an error, and figures are written as `numbers` writes them."""
    jinja = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters.update(
        count=numbers.count,
        duration=numbers.duration,
        share=numbers.share,
        value=numbers.value,
        megabytes=numbers.megabytes,
        instant=numbers.instant,
        moment=numbers.moment,
        any_value=numbers.any_value,
        breakable=breakable,
    )
    jinja.globals.update(plural=numbers.plural, nothing=numbers.NOTHING, slug=slug, hue=hue)
    return jinja


def write_page(text: str, path: Path, *, page: str, unaffected: str) -> Path:
    """Write a page, whole or not at all, and return its path.

    Raises ReportNotWritten; `page` and `unaffected` are the words with which its message names the page that is missing
    and the thing that is as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ReportNotWritten(
            f"The {page} could not be written to {path}: {problem.strerror or problem}. "
            f"Choose a folder that is writable and has a few MB free; {unaffected} is not affected."
        ) from problem
    return path


def breakable(name: str) -> Markup:
    """A long name may be broken after its underscores and slashes, and is escaped like any other text."""
    parts = [Markup("_<wbr>").join(part.split("_")) for part in name.split("/")]
    return Markup("/<wbr>").join(parts)


def slug(text: str) -> str:
    return text.replace("_", "-").replace(" ", "-")


def hue(table: str) -> str:
    """The CSS class for the colour of a table's layer (`aggregate/household_spend/v1`)."""
    layer = table.split("/")[0]
    return slug(layer) if layer in LAYERS else "no-layer"
