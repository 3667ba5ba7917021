"""Sends text messages through Kannel's `sendsms` and takes the calls of its `dlr-url` (Kannel user's guide, chapter 10)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.sms.parts import concatenation_header, encoding_of, split_text
from services.notify.providers.http_gateway import MAC_PARAMETER, HttpGateway, check_message_mac, failure_of_status, message_mac
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptUnreadable
from services.notify.providers.sms.part_memory import PartMemory, concatenation_reference

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
        self._memory = PartMemory()

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """One call a part: Kannel's own concatenation cuts a character beyond the basic plane in two (seen with 1.4.5)."""
        key = message.idempotency_key
        accepted, parts = self._memory.take(key), split_text(message.text)
        while len(accepted) < len(parts):
            number = len(accepted) + 1
            failure = await self._send_part(message, parts[number - 1], number, len(parts))
            if failure is not None:
                return self._unfinished(key, accepted, failure)
            accepted.append(_part_reference(key, number))
        return SendAccepted(key, tuple(accepted), len(parts))

    async def _send_part(self, message: OutgoingMessage, text: str, number: int, total: int) -> SendFailed | None:
        headers = self._headers(message, number, total)
        # In a query the parameters would stand in access logs, the password too.
        response = await self._gateway.call("POST", self._settings.url, content=text.encode(), headers=headers)
        if isinstance(response, SendFailed):
            return response
        if response.is_success and response.content.startswith(_ACCEPTED):
            return None
        if response.status == _FORBIDDEN:
            return SendFailed(FailureReason.CREDENTIALS, permanent=False, code=str(response.status))
        return failure_of_status(response)

    def _unfinished(self, key: str, accepted: list[str], failure: SendFailed) -> SendFailed:
        """Some parts are with Kannel: another provider would send the whole text a second time."""
        if not accepted or failure.permanent:
            return failure
        self._memory.keep(key, accepted)
        return replace(failure, in_doubt=True)

    def read_receipts(self, call: ReceiptCall) -> Sequence[DeliveryReceipt]:
        """The receipt in the query of our own `dlr-url`, in which Kannel has filled in `%d`."""
        query = dict(call.query)
        reference = query.get("part", "")
        check_message_mac(self._secret, reference, call)
        if not query.get("type", "").isdecimal():
            raise ReceiptUnreadable("type: must be the number that Kannel fills in for %d; check dlr-url")
        return [DeliveryReceipt("", _STATUSES.get(query["type"], ReceiptStatus.UNDECIDED), reference=reference)]

    def receipt_reply(self) -> dict[str, Any]:
        """A reply that Kannel ignores."""
        return {"recorded": True}

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()

    def _headers(self, message: OutgoingMessage, number: int, total: int) -> dict[str, str]:
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
        if total > 1:
            headers["X-Kannel-UDH"] = concatenation_header(concatenation_reference(message.idempotency_key), total, number, 8).hex()
        if self._receipts_url and self._secret:
            reference = _part_reference(message.idempotency_key, number)
            mine = urlencode({"part": reference, MAC_PARAMETER: message_mac(self._secret, reference)})
            headers["X-Kannel-DLR-Mask"] = str(_REPORTS)
            headers["X-Kannel-DLR-Url"] = f"{self._receipts_url}?{mine}&type=%d"
        return headers


def _part_reference(key: str, number: int) -> str:
    """Our own name of a part: Kannel's answer has no id."""
    return f"{key}.{number}"


KIND = ProviderKind("sms", KannelSettings, KannelProvider)
