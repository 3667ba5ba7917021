"""The stored form of a deferred input: JSON in column `held.input`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.sla.domain.lifecycle.inputs import ApplyDecision, TakeAction
from shared.runtime.tracing.context import is_sampled


@dataclass(frozen=True, slots=True)
class PendingAction:
    """An action on a case that is not registered yet; the actor's role is checked once the case is known.

    `action` is the action as JSON, `actor` the id of its authenticated sender, `at` in microseconds.
    """

    action: dict[str, Any]
    actor: str
    at: int


DeferrableInput = TakeAction | ApplyDecision | PendingAction
_INPUT_CLASSES: dict[str, type[DeferrableInput]] = {"act": TakeAction, "decided": ApplyDecision, "asked": PendingAction}
"""By the `kind` of the stored form."""


def serialize(case_input: DeferrableInput, traceparent: str | None) -> dict[str, Any]:
    """The form to store; the traceparent only of a sampled trace, since there is nothing to link to others."""
    kind = next(kind for kind, cls in _INPUT_CLASSES.items() if isinstance(case_input, cls))
    trace = {"traceparent": traceparent} if is_sampled(traceparent) else {}
    return {"kind": kind, "input": case_input, **trace}


def deserialize(stored_input: Mapping[str, Any]) -> DeferrableInput:
    """The input of a stored form."""
    return _INPUT_CLASSES[stored_input["kind"]](**stored_input["input"])
