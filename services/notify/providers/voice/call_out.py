"""Hands calls to a call-out system by a signed webhook, and takes its signed reports (docs/how-to/chat-and-voice.md)."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.notify.providers.http_gateway import HttpGateway
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptUnreadable
from services.notify.providers.signed_gateway import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    interpret_response,
    is_authentic_receipt,
    sign_receipt,
)

# Statuses of a call that ended without an acknowledgement; the call-out system repeats calls by itself before it gives up.
_FAILED = frozenset({"no_answer", "busy", "rejected", "unreachable", "voicemail", "failed", "expired"})
_LONGEST_CALL_TEXT = 500


class CallOutSettings(ProviderSettings):
    """The settings of kind `call_out`."""

    url: str = Field(pattern=r"^https?://\S+$", description="the call-out system; calls are posted to {url}/v1/calls")
    secret_env: SecretName = Field(description="variable with the key that signs our calls and the system's reports")
    digit: str = Field("1", pattern=r"^[0-9*#]?$", description="key by which the called person acknowledges; empty: answering does")
    attempts: int = Field(3, ge=1, le=10, description="how often the system calls before it reports no_answer")
    caller: str = Field("", description="number that the called person sees")


class CallReport(BaseModel):
    """A report about a call; `reference` is the idempotency key."""

    model_config = ConfigDict(extra="ignore")

    reference: str = Field(max_length=200)
    status: str = Field(max_length=50)
    digit: str = Field("", max_length=1)


class CallOutProvider:
    """The provider of channel `voice`; a repeated key makes no second call."""

    channel = "voice"

    def __init__(self, settings: CallOutSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._secret = context.secret(settings.secret_env)
        self._receipts_url = context.receipts_url
        self._clock = context.clock
        self._gateway = HttpGateway(context.timeout)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """POST {url}/v1/calls with number, text, language and the URL of the reports."""
        settings = self._settings
        number, _, extension = message.address.partition(";ext=")
        body = {
            "reference": message.idempotency_key,
            "to": number,
            "extension": extension,
            "text": message.text[:_LONGEST_CALL_TEXT],
            "language": message.language or "zh",
            "acknowledge": settings.digit,
            "attempts": settings.attempts,
            "caller": settings.caller,
            "report_to": self._receipts_url,
        }
        content = json.dumps(body, ensure_ascii=False).encode()
        # Real time: the call-out system compares it with its own clock.
        timestamp = str(int(self._clock.real_now().timestamp()))
        response = await self._gateway.call(
            "POST",
            f"{settings.url.rstrip('/')}/v1/calls",
            content=content,
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": message.idempotency_key,
                TIMESTAMP_HEADER: timestamp,
                SIGNATURE_HEADER: sign_receipt(self._secret, timestamp, content),
            },
        )
        if isinstance(response, SendFailed):
            return response
        return interpret_response(response)

    def read_receipts(self, call: ReceiptCall) -> Sequence[DeliveryReceipt]:
        """The report of a call; raises `ReceiptForged` or `ReceiptUnreadable`."""
        if not is_authentic_receipt(self._secret, call.headers, call.body, call.now):
            raise ReceiptForged(f"{SIGNATURE_HEADER}: must be the HMAC over timestamp, full stop and body")
        try:
            report = CallReport.model_validate_json(call.body)
        except ValidationError as error:
            raise ReceiptUnreadable("body: must be {reference, status, digit}; see docs/how-to/chat-and-voice.md") from error
        return [self._receipt(report)]

    def receipt_reply(self) -> dict[str, Any]:
        """A reply that the call-out system ignores."""
        return {"recorded": True}

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()

    def _receipt(self, report: CallReport) -> DeliveryReceipt:
        status, needs_digit = report.status.lower(), bool(self._settings.digit)
        if status == "acknowledged" and needs_digit and report.digit == self._settings.digit:
            return DeliveryReceipt(report.reference, ReceiptStatus.DELIVERED, acknowledged=True)
        # A colleague or an answering machine may answer: where a key is required, only the key counts.
        if status == "answered" and not needs_digit:
            return DeliveryReceipt(report.reference, ReceiptStatus.DELIVERED)
        if status == "unacknowledged":
            result = ReceiptStatus.FAILED if needs_digit else ReceiptStatus.DELIVERED
            return DeliveryReceipt(report.reference, result, status if needs_digit else "")
        if status in _FAILED:
            return DeliveryReceipt(report.reference, ReceiptStatus.FAILED, status)
        return DeliveryReceipt(report.reference, ReceiptStatus.UNDECIDED)


KIND = ProviderKind("voice", CallOutSettings, CallOutProvider)
