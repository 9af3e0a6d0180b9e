"""What can be wrong with the header of a CSV file, in words that say how to put it right."""

from collections.abc import Collection, Sequence

_SEPARATORS = {",": ",", ";": ";", "\t": "\\t", "|": "|"}


def header_problem(names: Sequence[str], separator: str, wanted: Collection[str] | None) -> str:
    """The problem, after `its header`; empty where there is none. wanted: the names that are needed; None: all."""
    lacks = wanted is None or any(name not in names for name in wanted)
    if len(names) == 1 and lacks and (other := _other_separator(names[0], separator)):
        return f"is one name, {names[0]!r}; if its separator is '{other}', say so: options: {{sep: '{other}'}}"
    if "" in names:
        return (
            f"has no name for column {names.index('') + 1} of {len(names)}; write the name, or leave the column out "
            "(pandas: to_csv(index=False))"
        )
    if twice := next((name for name in names if names.count(name) > 1), None):
        return f"has the name '{twice}' twice; rename one of them"
    low = [name.lower() for name in names]
    if cased := next((name for name in names if low.count(name.lower()) > 1), None):
        other = next(name for name in names if name.lower() == cased.lower() and name != cased)
        return f"has the names '{cased}' and '{other}', which differ in case alone; rename one of them"
    return _blank_problem(names, wanted)


def _blank_problem(names: Sequence[str], wanted: Collection[str] | None) -> str:
    blank = [name for name in names if name != name.strip() and (wanted is None or name not in wanted)]
    meant = next((name for name in blank if wanted is None or name.strip() in wanted), None)
    if meant is None:
        return ""
    return f"has blanks around the name '{meant}'; write '{meant.strip()}', or declare delivered={meant!r}"


def _other_separator(name: str, separator: str) -> str:
    return next((shown for other, shown in _SEPARATORS.items() if other != separator and other in name), "")
