"""The outcomes that a spine row can have in one history."""

MATCHED = "matched"
UNSEEN = "unseen"  # no fact was known by then
EXPIRED = "expired"  # the latest is not younger than max_age (S18)
ENDED = "ended"  # the latest is a tombstone (S8)
WITHOUT_KEY = "without_key"  # a null in the key or the label time: matches nothing (S15, S17)
OUTCOMES = (MATCHED, UNSEEN, EXPIRED, ENDED, WITHOUT_KEY)


def evidence_column(history: str) -> str:
    return f"_evidence__{history}"
