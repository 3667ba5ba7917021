"""The public wire format: topics, events, actions and complaints, as services and departments exchange them."""

from pydantic import BaseModel

from shared.contracts import events
from shared.contracts.actions import Action
from shared.contracts.complaint import Submission

MODELS_BY_CE_TYPE: dict[str, type[BaseModel]] = {**events.EVENT_CLASSES, "action": Action, "submission": Submission}
"""Value of `ce_type` → model of the body: every event, `action` on case-actions, `submission` on complaint-submissions."""


def decode_body(ce_type: str, body: bytes) -> BaseModel:
    """Parse the JSON body of a record; raises `LookupError` for an unknown type, pydantic's `ValidationError` for a bad body."""
    return MODELS_BY_CE_TYPE[ce_type].model_validate_json(body)
