"""The public wire format: topics, events, actions and complaints as every service and department sees them."""

from pydantic import BaseModel

from shared.contracts import events
from shared.contracts.actions import Action
from shared.contracts.complaint import Submission

MODELS: dict[str, type[BaseModel]] = {**events.EVENTS, "action": Action, "submission": Submission}
"""What may stand in `ce_type`: every event of the vocabulary, `action` on case-actions, `submission` on complaint-submissions."""


def decode(name: str, body: bytes) -> BaseModel:
    """The model of a record's type in its JSON body; `LookupError` for an unknown type, pydantic's `ValidationError` for a bad body."""
    return MODELS[name].model_validate_json(body)
