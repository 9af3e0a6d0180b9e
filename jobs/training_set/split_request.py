"""A split as somebody asked for it: the words of `--split`, `--split-at` and `--gap`, read and refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from definitions.durations import duration_us, instant_text, instant_us
from definitions.errors import DefinitionError, UsageError
from definitions.labels import Label

SPLIT = "split"  # the column that it writes, and what the manifest's options call it


@dataclass(frozen=True, kw_only=True)
class SplitRequest:
    """Either `shares` of the rows in the order of their label times, or the two label times `at` which parts begin.

    gap: a duration; empty: the horizon of the label that the spine is.
    """

    shares: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    gap: str = ""

    def told(self) -> dict[str, Any]:
        """As the manifest's options have it; the same words again make the same split of the same spine."""
        by = {"shares": list(self.shares)} if self.shares else {"at": list(self.at)}
        return {**by, "gap": self.gap}

    @classmethod
    def of_manifest(cls, options: Mapping[str, Any]) -> "SplitRequest | None":
        told = options.get(SPLIT)
        if not told:
            return None
        return cls(shares=tuple(told.get("shares", ())), at=tuple(told.get("at", ())), gap=told["gap"])


def parse_split(shares: str, at: str, gap: str) -> SplitRequest | None:
    """From the words of the options `--split`, `--split-at` and `--gap`. Raises UsageError."""
    if shares and at:
        raise UsageError("--split and --split-at say the same thing in two ways; give one of them.")
    if not shares and not at:
        if gap:
            raise UsageError(f"--gap {gap} is the gap of a split; say --split 0.7,0.15,0.15 or --split-at T,T too.")
        return None
    if gap:
        _asked(lambda: duration_us(gap, where="--gap"))
    words = tuple(word.strip() for word in (shares or at).split(","))
    return SplitRequest(shares=_shares(words), gap=gap) if shares else SplitRequest(at=_instants(words), gap=gap)


def with_gap(asked: SplitRequest, label: Label | None) -> SplitRequest:
    """The same, its gap known. Raises UsageError where nothing tells it, or where it is shorter than the horizon."""
    if label is None:
        if not asked.gap:
            raise UsageError(
                "the spine is no label that is declared here, so nothing tells how long its outcomes take; say it with "
                "--gap 30d (0s if they are instants)."
            )
        return asked
    if asked.gap and duration_us(asked.gap) < label.horizon_us:
        raise UsageError(
            f"--gap {asked.gap} is shorter than the horizon of {label.where}, {label.horizon}: outcomes of the train "
            "rows would reach into validation. Leave --gap out, or make it longer."
        )
    return SplitRequest(shares=asked.shares, at=asked.at, gap=asked.gap or label.horizon)


def _shares(words: tuple[str, ...]) -> tuple[str, ...]:
    try:
        shares = [Decimal(word) for word in words]
        is_whole = len(shares) == 3 and all(0 < share < 1 for share in shares) and sum(shares) == 1
    except InvalidOperation:
        is_whole = False
    if not is_whole:
        raise UsageError(
            f"--split {','.join(words)}: write the shares of train, validation and test; they add up to 1, "
            "e.g. 0.7,0.15,0.15."
        )
    return tuple(f"{share.normalize():f}" for share in shares)


def _instants(words: tuple[str, ...]) -> tuple[str, ...]:
    found = [_asked(lambda word=word: instant_us(word, where="--split-at")) for word in words]
    if len(found) != 2 or found[0] >= found[1]:
        raise UsageError(
            f"--split-at {','.join(words)}: write two instants, the first of validation and the first of test, in "
            "this order."
        )
    return tuple(instant_text(us) for us in found)


def _asked(read: Any) -> int:
    """A wrong word is a mistake of this call, not of a definition."""
    try:
        return int(read())
    except DefinitionError as error:
        raise UsageError(str(error)) from None
