"""Values of facts: defaults, and the conversion of JSON values to the declared types."""

import math
from collections.abc import Mapping
from typing import Any

from shared.contracts import instants
from shared.contracts.events.empty_fields import EPOCH
from shared.procedures.model.procedure import FactDeclaration, Procedure

_EMPTY_VALUES: dict[str, Any] = {"bool": False, "int": 0, "number": 0.0, "text": "", "instant": EPOCH, "date": ""}
_BOOL_WORDS = {"true": True, "false": False}
# CEL's int has 64 bits: the library passes a larger one as uint or double, with which arithmetic on ints fails.
_MIN_INT64, _MAX_INT64 = -(2**63), 2**63 - 1


def fact_defaults(procedure: Procedure) -> dict[str, Any]:
    """Every declared fact with its default or its type's empty value (1970-01-01 for an instant, an empty text for a date)."""
    return {name: fact_default(fact) for name, fact in procedure.facts.items()}


def fact_default(fact: FactDeclaration) -> Any:
    """The value of a fact that no complaint or rule has set."""
    value = None if fact.default is None else coerce_fact(fact, fact.default)
    return _EMPTY_VALUES[fact.type] if value is None else value


def coerce_fact(fact: FactDeclaration, value: Any) -> Any:
    """The value converted to the fact's type, None if it cannot be: rules only read values of the declared type."""
    match fact.type:
        case "bool":
            return value if isinstance(value, bool) else _BOOL_WORDS.get(str(value).strip().lower())
        case "int":
            return _integer(value)
        case "number":
            return _number(value)
        case "text":
            return _text(value)
        case "instant":
            return instants.read_instant(value)
        case "date":
            # As text, which orders like the dates themselves: rules compare it with `received_day` and with literals.
            day = instants.read_date(value)
            return None if day is None else day.isoformat()


def coerce_facts(procedure: Procedure, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Facts converted to their declared types, and the names of those that cannot be; undeclared facts are not converted."""
    coerced: dict[str, Any] = {}
    unreadable: list[str] = []
    for name, value in values.items():
        fact = procedure.facts.get(name)
        typed_value = value if fact is None else coerce_fact(fact, value)
        if typed_value is None:
            unreadable.append(name)
        else:
            coerced[name] = typed_value
    return coerced, unreadable


def _text(value: Any) -> str | None:
    # Python refuses to write an integer of more than 4300 digits.
    number = _integer(value) if isinstance(value, int) else _number(value) if isinstance(value, float) else value
    return str(number) if isinstance(number, str | int | float) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):  # bool is an int in Python
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _integer(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if _MIN_INT64 <= value <= _MAX_INT64 else None
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < _MAX_INT64 else None
