"""Each message that docs/errors.md quotes is one that the code prints, up to the values in it."""

import ast
import re
from functools import cache

import pytest

from lakehouse.session.environment import PACKAGES
from tests.docs.pages import PROJECT_ROOT, text_of

# What pydantic and the operating system say inside our messages.
NOT_OURS = ("Input should be a valid integer, unable to parse string as an integer", "No space left on device")
MAX_FOREIGN_WORDS = 3


def quotes() -> list[str]:
    blocks = re.findall(r"(?:^> .*\n)+", text_of("docs/errors.md"), re.MULTILINE)
    return [" ".join(line.removeprefix("> ") for line in block.splitlines()) for block in blocks]


@cache
def texts_of_the_code() -> frozenset[str]:
    """Each string of the code of more than one word, and each part of one between two values."""
    files = [file for package in PACKAGES for file in (PROJECT_ROOT / package).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    values = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    parts = (" ".join(part.split()) for value in values for part in re.split(r"\{\w*\}", value))
    return frozenset(part for part in parts if " " in part)


def foreign_words(quote: str) -> list[str]:
    """The runs of plain words in a quote that no string of the code holds: values are short, sentences are not."""
    is_ours = [False] * len(quote)
    for text in (*texts_of_the_code(), *NOT_OURS):
        if (start := quote.find(text)) >= 0:
            is_ours[start : start + len(text)] = [True] * len(text)
    rest = "".join(letter if letter == " " or not own else "|" for letter, own in zip(quote, is_ours, strict=True))
    return [run for run in re.findall(r"(?:\b[A-Za-z]+,? ?)+", rest) if len(run.split()) > MAX_FOREIGN_WORDS]


@pytest.mark.parametrize("quote", quotes())
def test_a_quoted_message_is_printed_by_the_code(quote: str) -> None:
    assert foreign_words(quote) == []


def test_a_message_that_no_code_prints_is_recognised() -> None:
    assert len(quotes()) > 40
    assert foreign_words("view 'household_spend' v1: this is a message that nothing prints") != []
