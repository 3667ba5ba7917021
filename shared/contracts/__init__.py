"""The public wire format: topics, events, actions and complaints as every service and department sees them."""

from pydantic import BaseModel

from shared.contracts import events
from shared.contracts.actions import Action
from shared.contracts.complaint import Submission

MODELS_BY_CE_TYPE: dict[str, type[BaseModel]] = {**events.EVENT_CLASSES, "action": Action, "submission": Submission}
"""What may stand in `ce_type`: every event of the vocabulary, `action` on case-actions, `submission` on complaint-submissions."""


def decode_body(ce_type: str, body: bytes) -> BaseModel:
    """The model of a record's type in its JSON body; `LookupError` for an unknown type, pydantic's `ValidationError` for a bad body."""
    return MODELS_BY_CE_TYPE[ce_type].model_validate_json(body)
