"""Why a peer returns other rows: by its module, then by the rules' beginnings. Written from its answers."""

_ORDER = "Equal times are decided by the order in which the rows happen to lie."
_NULLS = "A null key matches a null key."
_EQUAL_AGE = "Its age limit keeps what is exactly that old."

_LABEL_COUNTS = "What happens at the label time counts."
_MISSES = f"{_LABEL_COUNTS} Labels can't be moved back: they would miss what becomes known at them."
_TEXT = "Times become text, and are read again in the session's zone, here New York's, where 01:30 comes twice."
_WHOLE_SECONDS = f"{_EQUAL_AGE} It counts whole seconds, so an age limit of a microsecond less can't be given."
_DOUBLES = f"{_EQUAL_AGE} A microsecond less does not help: ages are compared as seconds in doubles."

REASONS: dict[str, dict[str, str]] = {
    "feast_spark": {
        "S1 ": _MISSES,
        "S2 near": _TEXT,
        "S2 what": _TEXT,
        "S4": _WHOLE_SECONDS,
        "S5 a fact is": _MISSES,
        "S5 a frame": _LABEL_COUNTS,
        "S6": _MISSES,
        "S9": "Equal times bring a row each: one row of the spine comes back as two.",
        "S14 what becomes": _MISSES,
        "S14 what happens": _LABEL_COUNTS,
        "S16": _LABEL_COUNTS,
        "S17": "Keys and time are joined to one text: ('1', '23') and ('12', '3') get each other's rows.",
        "S18 a fact is": _WHOLE_SECONDS,
        "S18": "An age limit of less than a second has no effect.",
    },
    "tempo_asof": {
        "S4": _DOUBLES,
        "S18 a fact is": _DOUBLES,
        "S9": _ORDER,
        "S15": "Rows without a label time are lost.",
        "S17": _NULLS,
        "S5": _LABEL_COUNTS,
        "S14": _LABEL_COUNTS,
        "S16": _LABEL_COUNTS,
        "S18": "What happens at the label time counts, and what is exactly as old as the limit.",
        "S1 ": _LABEL_COUNTS,
        "S2": _LABEL_COUNTS,
    },
    "duckdb_asof": {
        "S9 several": "What is still equal is decided by the order in which the rows happen to lie.",
        "S9": _ORDER,
        "S16": "A float's −0.0 comes back as 0.0; a double keeps it.",
    },
    "polars_join_asof": {"S9": _ORDER, "S4": _EQUAL_AGE, "S18": _EQUAL_AGE},
    "pandas_merge_asof": {
        "S9": _ORDER,
        "S4": _EQUAL_AGE,
        "S18": _EQUAL_AGE,
        "S15": "A null label time is refused, and with it the whole join.",
        "S17": _NULLS,
    },
}


def reason(peer: str, says: str) -> str | None:
    """The longest beginning that fits wins."""
    fitting = [begin for begin in REASONS.get(peer, {}) if says.startswith(begin)]
    return REASONS[peer][max(fitting, key=len)] if fitting else None
