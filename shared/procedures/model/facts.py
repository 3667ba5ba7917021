"""Facts by their declared types: defaults, the empty value of a type, and values that arrive as JSON made fit."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.contracts.events.empty_fields import EPOCH
from shared.procedures.model.procedure import FactDeclaration, Procedure

_EMPTY_VALUES: dict[str, Any] = {"bool": False, "int": 0, "number": 0.0, "text": "", "instant": EPOCH}
_BOOL_WORDS = {"true": True, "false": False}
_MAX_INT64 = 2**63 - 1


def fact_defaults(procedure: Procedure) -> dict[str, Any]:
    """Every declared fact with its default, or its type's empty value (an unset instant is 1970-01-01)."""
    return {name: fact_default(fact) for name, fact in procedure.facts.items()}


def fact_default(fact: FactDeclaration) -> Any:
    """The value of a fact that nobody gave."""
    value = None if fact.default is None else coerce_fact(fact, fact.default)
    return _EMPTY_VALUES[fact.type] if value is None else value


def coerce_fact(fact: FactDeclaration, value: Any) -> Any:
    """The value in the fact's type, None if it cannot be read as one: no rule ever sees a value of a foreign type."""
    match fact.type:
        case "bool":
            return value if isinstance(value, bool) else _BOOL_WORDS.get(str(value).strip().lower())
        case "int":
            return _integer(value)
        case "number":
            return _number(value)
        case "text":
            return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
        case "instant":
            return _instant(value)


def coerce_facts(procedure: Procedure, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Given facts in their declared types, and the names of those that do not fit; undeclared ones stay as they are."""
    good: dict[str, Any] = {}
    bad: list[str] = []
    for name, value in values.items():
        fact = procedure.facts.get(name)
        read = value if fact is None else coerce_fact(fact, value)
        if read is None:
            bad.append(name)
        else:
            good[name] = read
    return good, bad


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _integer(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) <= _MAX_INT64 else None
    number = _number(value)
    return int(number) if number is not None and number.is_integer() and abs(number) < _MAX_INT64 else None


def _instant(value: Any) -> datetime | None:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None
