"""Sends text messages through an HTTP gateway with idempotency keys and signed receipts (docs/how-to/messages.md)."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.notify.providers.http_gateway import HttpGateway
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptUnreadable
from services.notify.providers.signed_gateway import SIGNATURE_HEADER, interpret_response, is_authentic_receipt

RECEIPT_STATUSES = {
    "delivered": ReceiptStatus.DELIVERED,
    "failed": ReceiptStatus.FAILED,
    "rejected": ReceiptStatus.FAILED,
    "expired": ReceiptStatus.FAILED,
    "queued": ReceiptStatus.UNDECIDED,
    "sent": ReceiptStatus.UNDECIDED,
    "unknown": ReceiptStatus.UNDECIDED,
}
LONGEST_RECEIPT = 16_384


@dataclass(frozen=True, slots=True)
class HttpSmsOptions:
    """The gateway's URL and token; `timeout` is in seconds for one whole attempt."""

    url: str
    token: str = field(default="", repr=False)
    sender: str = ""
    timeout: float = 10.0
    receipt_secret: str = field(default="", repr=False)


class HttpSmsSettings(ProviderSettings):
    """The settings of kind `http_sms` in the providers file."""

    url: str = Field(pattern=r"^https?://\S+$", description="the gateway; messages go to {url}/v1/messages")
    token_env: SecretName = ""
    receipt_secret_env: SecretName = Field("", description="key of the receipts' HMAC; empty: no receipt is accepted")
    sender: str = ""


class ReceiptBody(BaseModel):
    """The body of a receipt; `reference` is the idempotency key of the message."""

    model_config = ConfigDict(extra="ignore")

    reference: str = Field(max_length=200)
    status: str = Field(max_length=50)
    code: str = Field("", max_length=20, pattern=r"^[0-9A-Za-z._-]*$")


class HttpSmsProvider:
    """A provider of channel `sms` whose gateway recognises a repeated message by its idempotency key."""

    channel = "sms"

    def __init__(self, options: HttpSmsOptions) -> None:
        self._options = options
        self._url = f"{options.url.rstrip('/')}/v1/messages"
        self._authorization = {"Authorization": f"Bearer {options.token}"} if options.token else {}
        self._gateway = HttpGateway(options.timeout)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """POST {url}/v1/messages; for a repeated key the gateway answers as at the first time and sends nothing."""
        body = {"to": message.address, "text": message.text, "reference": message.idempotency_key, "sender": self._options.sender}
        headers = {"Idempotency-Key": message.idempotency_key} | self._authorization
        response = await self._gateway.call("POST", self._url, json=body, headers=headers)
        return response if isinstance(response, SendFailed) else interpret_response(response)

    def read_receipts(self, call: ReceiptCall) -> list[DeliveryReceipt]:
        """The receipt of a call; raises `ReceiptForged` or `ReceiptUnreadable`."""
        if not is_authentic_receipt(self._options.receipt_secret, call.headers, call.body, call.now):
            raise ReceiptForged(f"{SIGNATURE_HEADER}: must be the HMAC over timestamp, full stop and body")
        try:
            return [parse_receipt(call.body)]
        except ValidationError as error:
            raise ReceiptUnreadable("body: must be {reference, status, code}; send what the gateway documents") from error

    def receipt_reply(self) -> dict[str, Any]:
        """A reply that the gateway ignores."""
        return {"recorded": True}

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()


def parse_receipt(body: bytes) -> DeliveryReceipt:
    """Parse a receipt; an unknown status is `UNDECIDED`. Raises pydantic's `ValidationError`."""
    receipt = ReceiptBody.model_validate_json(body)
    return DeliveryReceipt(receipt.reference, RECEIPT_STATUSES.get(receipt.status.lower(), ReceiptStatus.UNDECIDED), receipt.code)


def _build(settings: HttpSmsSettings, context: ProviderContext) -> HttpSmsProvider:
    return HttpSmsProvider(
        HttpSmsOptions(
            url=settings.url,
            token=context.secret(settings.token_env),
            sender=settings.sender,
            timeout=context.timeout,
            receipt_secret=context.secret(settings.receipt_secret_env),
        )
    )


KIND = ProviderKind("sms", HttpSmsSettings, _build)
