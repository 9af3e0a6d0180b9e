"""The pages as tests read them: their text, their code blocks, their headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *PROJECT_ROOT.glob("docs/**/*.md"),
        *(PROJECT_ROOT / name for name in ("README.md", "GLOSSARY.md", "CHANGELOG.md")),
    ]
)
RUNS = "<!-- runs in the tests"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block; `note` is the line before it."""

    page: Path
    language: str
    text: str
    note: str


def text_of(name: str) -> str:
    return (PROJECT_ROOT / name).read_text("utf-8")


def everything() -> str:
    return "\n".join(page.read_text("utf-8") for page in PAGES)


def blocks(language: str) -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _FENCE.finditer(text):
            if match[1] == language:
                yield Block(page, language, match[2], text[: match.start()].rstrip("\n").rsplit("\n", 1)[-1])


def prose_of(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def anchors_of(page: Path) -> set[str]:
    """The headings as links name them: small letters, spaces as hyphens, without other marks."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> list[str]:
    """Every shell command that a page shows, in blocks and between backticks, with continued lines joined."""
    lines = [line for block in blocks("sh") for line in block.text.replace("\\\n", " ").splitlines()]
    spans = [span for page in PAGES for span in re.findall(r"`([^`\n]+)`", prose_of(page))]
    return [text.split("#")[0].strip() for text in [*lines, *spans] if text.strip()]
