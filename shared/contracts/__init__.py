"""The public wire format: topics, events, actions and complaints, as services and departments exchange them."""

from codecs import BOM_UTF8

from pydantic import BaseModel

from shared.contracts import events
from shared.contracts.actions import Action
from shared.contracts.base import StrictModel
from shared.contracts.complaint import Submission
from shared.contracts.json_text import parse_json_text
from shared.contracts.mail_reports import MailReport

MODELS_BY_CE_TYPE: dict[str, type[BaseModel]] = {
    **events.EVENT_CLASSES,
    "action": Action,
    "submission": Submission,
    "mail_report": MailReport,
}
"""Value of `ce_type` → model of the body: every event, `action`, `submission` and `mail_report`, each on a topic of its own."""


def decode_body(ce_type: str, body: bytes) -> BaseModel:
    """Parse the JSON body of a record; raises `LookupError` for an unknown type, `ValueError` or pydantic's for a bad body."""
    model = MODELS_BY_CE_TYPE[ce_type]
    if issubclass(model, StrictModel):
        # Input from outside: pydantic's parser would keep the last of two equal keys, and take NaN for a number.
        parse_json_text(body)
        body = body.removeprefix(BOM_UTF8)
    return model.model_validate_json(body)
