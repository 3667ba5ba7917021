"""Which data of an action a condition reads that are not known before somebody fills them in."""

from __future__ import annotations

from shared.procedures.expressions.conditions import Condition

_KNOWN = frozenset({"role", "actor", "at", "day"})


def further_data(condition: Condition | None) -> tuple[str, ...]:
    """The fields of the action that a condition reads besides who acts and when."""
    if condition is None:
        return ()
    return tuple(dict.fromkeys(path[1] for path in condition.paths if path[0] == "event" and path[1] not in _KNOWN))
