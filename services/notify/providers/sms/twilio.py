"""Sends text messages through Twilio's REST interface and checks its signed status callbacks (docs/how-to/send-sms.md)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any, Self
from urllib.parse import parse_qsl, quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.http_gateway import GatewayResponse, HttpGateway, failure_of_status, retry_after
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptUnreadable

SIGNATURE_HEADER = "x-twilio-signature"
# Twilio's error codes of a request, with their reasons; any other goes by the HTTP status.
TWILIO_ERRORS: dict[int, FailureReason] = {
    14107: FailureReason.BUSY,  # message rate limit exceeded
    20003: FailureReason.CREDENTIALS,  # authentication error
    20404: FailureReason.CREDENTIALS,  # no such account
    20429: FailureReason.BUSY,  # too many requests
    21211: FailureReason.REFUSED,  # invalid To
    21212: FailureReason.CREDENTIALS,  # invalid From, which the operator can correct
    21408: FailureReason.CREDENTIALS,  # the account may not send to that region
    21606: FailureReason.CREDENTIALS,  # From cannot send messages
    21610: FailureReason.REFUSED,  # the recipient has unsubscribed
    21611: FailureReason.BUSY,  # the sender's queue is full
    21614: FailureReason.REFUSED,  # To is not a mobile number
    21617: FailureReason.REFUSED,  # the text exceeds 1,600 characters
    30001: FailureReason.BUSY,  # queue overflow
}
_STATUSES = {
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "undelivered": ReceiptStatus.FAILED,
    "failed": ReceiptStatus.FAILED,
    "canceled": ReceiptStatus.FAILED,
}


class TwilioSettings(ProviderSettings):
    """The settings of kind `twilio`."""

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$")
    auth_token_env: SecretName = Field(description="the account's token, which also signs the callbacks")
    source: str = Field("", description="sender: a number of the account in E.164 form")
    messaging_service_sid: str = Field("", pattern=r"^(MG[0-9a-fA-F]{32})?$", description="instead of a sender")
    url: str = Field("https://api.twilio.com", pattern=r"^https?://\S+$")

    @model_validator(mode="after")
    def _has_a_sender(self) -> Self:
        if bool(self.source) == bool(self.messaging_service_sid):
            raise ValueError("source and messaging_service_sid: exactly one names the sender; set one and remove the other")
        return self


class _Message(BaseModel):
    """The fields of Twilio's message resource in use."""

    model_config = ConfigDict(extra="ignore")

    sid: str = Field(min_length=1, max_length=64)
    num_segments: int = 0


class _Problem(BaseModel):
    """Twilio's error object."""

    model_config = ConfigDict(extra="ignore")

    code: int = 0


class TwilioProvider:
    """A provider of channel `sms`; Twilio has no idempotency key, so a message in doubt may be sent twice."""

    channel = "sms"

    def __init__(self, settings: TwilioSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._token = context.secret(settings.auth_token_env)
        self._receipts_url = context.receipts_url
        self._gateway = HttpGateway(context.timeout)
        self._url = f"{settings.url.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}/Messages.json"

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Create a message resource, which Twilio queues."""
        form = {"To": message.address, "Body": message.text}
        if self._settings.messaging_service_sid:
            form["MessagingServiceSid"] = self._settings.messaging_service_sid
        else:
            form["From"] = self._settings.source
        if self._receipts_url:
            form["StatusCallback"] = self._callback_url(message.idempotency_key)
        response = await self._gateway.call("POST", self._url, data=form, auth=(self._settings.account_sid, self._token))
        return response if isinstance(response, SendFailed) else _interpret(response)

    def read_receipts(self, call: ReceiptCall) -> Sequence[DeliveryReceipt]:
        """The status of a callback, whose signature covers the URL that we gave, and every parameter."""
        key = dict(call.query).get("key", "")
        form = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
        expected = sign_callback(self._token, self._callback_url(key), form)
        if not hmac.compare_digest(expected.encode(), call.headers.get(SIGNATURE_HEADER, "").encode()):
            raise ReceiptForged(f"{SIGNATURE_HEADER}: must be Twilio's over our URL and the parameters; check JIESU_RECEIPTS_URL")
        status = dict(form).get("MessageStatus", "")
        if not status:
            raise ReceiptUnreadable("MessageStatus: is missing; send what Twilio documents")
        code = dict(form).get("ErrorCode", "")
        return [DeliveryReceipt(key, _STATUSES.get(status, ReceiptStatus.UNDECIDED), code if code.isdecimal() else "")]

    def receipt_reply(self) -> dict[str, Any]:
        """A reply that Twilio ignores."""
        return {"recorded": True}

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()

    def _callback_url(self, key: str) -> str:
        return f"{self._receipts_url}?key={quote(key, safe='')}"


def sign_callback(token: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Base64 of HMAC-SHA1 over the URL and each parameter's name and value, sorted by name (Twilio, "Validating requests")."""
    text = url + "".join(f"{name}{value}" for name, value in sorted(dict.fromkeys(parameters)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _interpret(response: GatewayResponse) -> SendAccepted | SendFailed:
    if response.is_success:
        try:
            created = _Message.model_validate_json(response.content)
        except ValidationError:
            return failure_of_status(response)
        return SendAccepted(created.sid, billed_parts=created.num_segments)
    try:
        code = _Problem.model_validate_json(response.content).code
    except ValidationError:
        return failure_of_status(response)
    if code not in TWILIO_ERRORS:
        return failure_of_status(response)
    reason = TWILIO_ERRORS[code]
    return SendFailed(reason, reason.is_permanent, str(code), retry_after(response.headers))


KIND = ProviderKind("sms", TwilioSettings, TwilioProvider)
