"""Sends text messages through Kannel's `sendsms` and takes the calls of its `dlr-url` (Kannel user's guide, chapter 10)."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.sms.parts import encoding_of
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptUnreadable
from services.notify.providers.sms.http_gateway import MAC_PARAMETER, HttpGateway, check_message_mac, failure_of_status, message_mac

_ACCEPTED = (b"0:", b"3:")
"""Accepted for delivery, or queued because the carrier is away; both are stored."""
_FORBIDDEN = 403
_DELIVERED, _FAILED, _REJECTED = 1, 2, 16
_REPORTS = _DELIVERED | _FAILED | _REJECTED
_STATUSES = {str(_DELIVERED): ReceiptStatus.DELIVERED, str(_FAILED): ReceiptStatus.FAILED, str(_REJECTED): ReceiptStatus.FAILED}
_CODINGS = {"gsm7": "0", "ucs2": "2"}


class KannelSettings(ProviderSettings):
    """The settings of kind `kannel`."""

    url: str = Field(pattern=r"^https?://\S+$", description="smsbox's sendsms, such as http://127.0.0.1:13013/cgi-bin/sendsms")
    username: str
    password_env: SecretName
    source: str = ""
    smsc: str = Field("", description="id of the connection that Kannel is to use; empty: as Kannel routes")
    receipt_secret_env: SecretName = Field("", description="key that protects the receipts' URL; empty: no receipts are asked for")


class KannelProvider:
    """A provider of channel `sms`; Kannel has no idempotency key, so a message in doubt may be sent twice."""

    channel = "sms"

    def __init__(self, settings: KannelSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._password = context.secret(settings.password_env)
        self._secret = context.secret(settings.receipt_secret_env)
        self._receipts_url = context.receipts_url
        self._gateway = HttpGateway(context.timeout)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """POST with the parameters in headers: in a query they would stand in access logs, the password too."""
        response = await self._gateway.call("POST", self._settings.url, content=message.text.encode(), headers=self._headers(message))
        if isinstance(response, SendFailed):
            return response
        if response.is_success and response.content.startswith(_ACCEPTED):
            return SendAccepted(message.idempotency_key)
        if response.status == _FORBIDDEN:
            return SendFailed(FailureReason.CREDENTIALS, permanent=False, code=str(response.status))
        return failure_of_status(response)

    def read_receipts(self, call: ReceiptCall) -> Sequence[DeliveryReceipt]:
        """The receipt in the query of our own `dlr-url`, in which Kannel has filled in `%d`."""
        query = dict(call.query)
        key = query.get("key", "")
        check_message_mac(self._secret, key, call)
        if not query.get("type", "").isdecimal():
            raise ReceiptUnreadable("type: must be the number that Kannel fills in for %d; check dlr-url")
        return [DeliveryReceipt(key, _STATUSES.get(query["type"], ReceiptStatus.UNDECIDED))]

    def receipt_reply(self) -> dict[str, Any]:
        """Nothing that Kannel reads."""
        return {"recorded": True}

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()

    def _headers(self, message: OutgoingMessage) -> dict[str, str]:
        settings = self._settings
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Kannel-Username": settings.username,
            "X-Kannel-Password": self._password,
            "X-Kannel-To": message.address,
            "X-Kannel-Coding": _CODINGS[encoding_of(message.text)],
        }
        if settings.source:
            headers["X-Kannel-From"] = settings.source
        if settings.smsc:
            headers["X-Kannel-SMSC"] = settings.smsc
        if self._receipts_url and self._secret:
            mine = urlencode({"key": message.idempotency_key, MAC_PARAMETER: message_mac(self._secret, message.idempotency_key)})
            headers["X-Kannel-DLR-Mask"] = str(_REPORTS)
            headers["X-Kannel-DLR-Url"] = f"{self._receipts_url}?{mine}&type=%d"
        return headers


KIND = ProviderKind("sms", KannelSettings, KannelProvider)
