"""The protocol that the kinds `http_sms` and `call_out` share: an id in the response, and receipts signed by HMAC with a timestamp."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, ValidationError

from services.notify.providers.http_gateway import GatewayResponse, failure_of_status
from services.notify.providers.provider import SendAccepted, SendFailed
from services.notify.providers.receipts import is_recent_timestamp

SIGNATURE_HEADER = "jiesu-signature"
TIMESTAMP_HEADER = "jiesu-timestamp"
_RECEIPT_TOLERANCE = timedelta(minutes=5)
"""An older receipt may be a replay."""


class _Accepted(BaseModel):
    """The gateway's response to an accepted message."""

    id: str = Field(min_length=1, max_length=200)


def interpret_response(response: GatewayResponse) -> SendAccepted | SendFailed:
    """The result for a response of the gateway."""
    if not response.is_success:
        return failure_of_status(response)
    try:
        return SendAccepted(_Accepted.model_validate_json(response.content).id)
    except ValidationError:
        return failure_of_status(response)


def sign_receipt(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a receipt: hex HMAC-SHA256 over timestamp, full stop, body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_authentic_receipt(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether the signature is valid and the timestamp at most five minutes from `now` (real time); False without a secret."""
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    expected = sign_receipt(secret, timestamp, body)
    is_signed = hmac.compare_digest(expected.encode(), headers.get(SIGNATURE_HEADER, "").encode())
    return bool(secret) and is_signed and is_recent_timestamp(timestamp, now, _RECEIPT_TOLERANCE)
