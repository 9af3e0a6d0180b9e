"""Join keys as people and requests write them, by their declared type."""

import re
from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

from definitions.durations import instant_us, to_datetime
from definitions.errors import DefinitionError, UsageError
from definitions.types import BOOLEAN, TIMESTAMP, type_named
from online_store.values import form_of

_TRUTHS = {"true": True, "false": False}


def key_values(needed: Mapping[str, str], given: Mapping[str, str | int], *, where: str) -> dict[str, Any]:
    """The value of each needed key (name to type), from exactly these. Raises UsageError naming what is needed."""
    wanted = ", ".join(f"{name} ({type_})" for name, type_ in needed.items())
    if missing := [name for name in needed if name not in given]:
        raise UsageError(f"{where} needs {wanted}; '{missing[0]}' is missing, write e.g. {missing[0]}=…")
    if unknown := [name for name in given if name not in needed]:
        raise UsageError(f"{where} has no key '{unknown[0]}'; it needs {wanted}.")
    return {name: key_value(given[name], type_, where=f"{where}, key '{name}'") for name, type_ in needed.items()}


def key_value(given: str | int, type_: str, *, where: str) -> Any:
    """One key: text in the form of its type, or a number where a whole number is meant."""
    try:
        value = _restored(given, type_)
        form_of(type_).sent(value)
        return value
    except (ValueError, ArithmeticError, DefinitionError):
        raise UsageError(f"{where}: {given!r} is not {type_named(type_).text_form}.") from None


def _restored(given: str | int, type_: str) -> Any:
    form, declared = form_of(type_), type_named(type_)
    if declared.is_whole:
        return int(given) if re.fullmatch(r"[+-]?[0-9]{1,20}", str(given)) else None
    if type(given) is not str:
        raise ValueError("text expected")
    given.encode()  # text that is no Unicode (a lone surrogate) is no key
    if declared == BOOLEAN:
        return _TRUTHS.get(given)
    if declared == TIMESTAMP:
        return to_datetime(instant_us(given))
    if declared.is_decimal:
        with localcontext(prec=80):
            rounded = Decimal(given).quantize(Decimal((0, (1,), -declared.scale)))
            return rounded if rounded == Decimal(given) else None
    return form.restored(given)
