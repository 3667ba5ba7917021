"""Sends text messages to an SMSC by SMPP 3.4, and gets receipts on the same connection (docs/how-to/send-sms.md)."""

import asyncio
import ssl
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import structlog
from pydantic import Field

from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.sms.parts import ReferenceBits, encode_parts, encoding_of
from services.notify.domain.sms.smpp_receipts import IdForm, canonical_id, read_smpp_receipt
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import RecordReceipt
from services.notify.providers.sms import smpp_pdu
from services.notify.providers.sms.part_memory import PartMemory, concatenation_reference
from services.notify.providers.sms.smpp_pdu import Pdu, SmppProtocolError
from services.notify.providers.sms.smpp_session import SmppBindError, SmppClosedError, SmppOptions, SmppSession
from shared.runtime.clock import monotonic
from shared.runtime.process.failures import redacted_reason
from shared.runtime.process.waiting import Backoff

log = structlog.get_logger(__name__)
# command_status (SMPP 3.4, 5.1.3) with its reason; any other is busy, as vendors have codes of their own.
SMPP_STATUS_REASONS: dict[int, FailureReason] = {
    0x01: FailureReason.REFUSED,  # ESME_RINVMSGLEN
    0x02: FailureReason.GARBAGE,  # ESME_RINVCMDLEN
    0x03: FailureReason.GARBAGE,  # ESME_RINVCMDID
    0x04: FailureReason.GARBAGE,  # ESME_RINVBNDSTS: the SMSC has ended the session on its side
    0x0A: FailureReason.CREDENTIALS,  # ESME_RINVSRCADR: the operator can correct the sender
    0x0B: FailureReason.REFUSED,  # ESME_RINVDSTADR
    0x0D: FailureReason.CREDENTIALS,  # ESME_RBINDFAIL
    0x0E: FailureReason.CREDENTIALS,  # ESME_RINVPASWD
    0x0F: FailureReason.CREDENTIALS,  # ESME_RINVSYSID
    0x48: FailureReason.CREDENTIALS,  # ESME_RINVSRCTON
    0x49: FailureReason.CREDENTIALS,  # ESME_RINVSRCNPI
    0x50: FailureReason.REFUSED,  # ESME_RINVDSTTON
    0x51: FailureReason.REFUSED,  # ESME_RINVDSTNPI
    0x53: FailureReason.CREDENTIALS,  # ESME_RINVSYSTYP
    0x65: FailureReason.REFUSED,  # ESME_RX_P_APPN
    0x66: FailureReason.REFUSED,  # ESME_RX_R_APPN
}
THROTTLED = frozenset({0x14, 0x58})
"""ESME_RMSGQFUL and ESME_RTHROTTLED: the part is sent again after a pause, which counts for all messages of the connection."""
_INTERNATIONAL, _ISDN = 1, 1
_UDH = 0x40
_DATA_CODINGS = {"gsm7": 0, "ucs2": 8}


class SmppSettings(ProviderSettings):
    """The settings of kind `smpp`."""

    host: str = Field(min_length=1)
    port: int = Field(2775, ge=1, le=65535)
    system_id: str = Field(max_length=15)
    password_env: SecretName = ""
    system_type: str = Field("", max_length=12)
    source: str = Field("", max_length=20, description="sender's number or name, as the carrier has registered it")
    source_ton: int = Field(0, ge=0, le=6, description="type of that number: 1 international, 5 a name, 0 as the carrier decides")
    source_npi: int = Field(0, ge=0, le=18)
    window: int = Field(10, ge=1, le=1000, description="requests without a response at the same time")
    enquire_link: float = Field(30.0, gt=0, description="seconds between two checks of the connection")
    throttle_pause: float = Field(1.0, gt=0, description="seconds without sending after the carrier said that we are too fast")
    reference_bits: Literal[8, 16] = Field(8, description="size of the number that joins the parts of one text")
    packed: bool = Field(default=False, description="GSM-7 as packed septets; most carriers take one octet a character")
    response_ids: IdForm = Field("text", description="form of the message ids in responses: text, decimal or hex")
    receipt_ids: IdForm = Field("text", description="form of the message ids in receipts")
    tls: bool = False
    ca_file: Path | None = Field(None, description="authority of the server's certificate; empty: the system's")


@dataclass(slots=True)
class _SentParts:
    """The ids of the parts of a message that the SMSC has accepted; `in_doubt` while one more may have been.

    `throttled` is the status with which the SMSC refused the next part for now, 0 if it did not.
    """

    ids: list[str] = field(default_factory=list)
    in_doubt: bool = False
    throttled: int = 0


class SmppProvider:
    """A provider of channel `sms` on one connection, bound when it is first needed and again, with backoff, after it has ended."""

    channel = "sms"

    def __init__(self, options: SmppOptions, settings: SmppSettings) -> None:
        self._options = options
        self._settings = settings
        self._session: SmppSession | None = None
        self._binding = asyncio.Lock()
        self._backoff = Backoff(initial_seconds=0.5, max_seconds=30.0)
        self._bind_at = 0.0
        self._paused_until = 0.0
        self._memory = PartMemory()
        self._record: RecordReceipt | None = None
        self._codec = smpp_pdu.load_codec()

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Submit every part; a repeated attempt continues with the first part that the SMSC has not accepted."""
        sent = _SentParts(self._memory.take(message.idempotency_key))
        try:
            async with asyncio.timeout(self._options.timeout):
                failure = await self._send_parts(message, sent)
        except SmppBindError as error:
            failure = _failure(error.status)
        except SmppProtocolError:
            failure = SendFailed(FailureReason.GARBAGE, permanent=False)
        except (OSError, TimeoutError) as error:
            if sent.throttled:
                failure = _failure(sent.throttled, self._settings.throttle_pause)
            elif isinstance(error, ssl.SSLError):
                failure = SendFailed(FailureReason.CREDENTIALS, permanent=False)
            else:
                failure = SendFailed(FailureReason.UNREACHABLE, permanent=False, in_doubt=sent.in_doubt)
        if failure is None:
            return SendAccepted(sent.ids[0], tuple(sent.ids), len(sent.ids))
        if not failure.permanent and (sent.ids or sent.in_doubt):
            self._memory.keep(message.idempotency_key, sent.ids)
            # Some parts are with this carrier: another one would send the whole text a second time.
            return SendFailed(failure.reason, permanent=False, code=failure.code, retry_after=failure.retry_after, in_doubt=True)
        return failure

    async def listen(self, record: RecordReceipt) -> None:
        """Keep the connection bound, and record each receipt before the SMSC gets its acknowledgement."""
        self._record = record
        while True:
            try:
                async with asyncio.timeout(self._options.timeout):
                    session = await self._bound()
            except (SmppBindError, SmppProtocolError, OSError, TimeoutError) as error:
                log.warning("bind failed", host=self._options.host, reason=redacted_reason(error))
                await asyncio.sleep(max(0.1, self._bind_at - monotonic()))
                continue
            await session.closed.wait()

    async def close(self) -> None:
        """Unbind."""
        if self._session is not None:
            await self._session.unbind()

    async def _send_parts(self, message: OutgoingMessage, sent: _SentParts) -> SendFailed | None:
        bits: ReferenceBits = self._settings.reference_bits
        parts = encode_parts(message.text, concatenation_reference(message.idempotency_key), bits, packed=self._settings.packed)
        while len(sent.ids) < len(parts):
            await asyncio.sleep(max(0.0, self._paused_until - monotonic()))
            encode = partial(self._encode, message, parts[len(sent.ids)], is_part=len(parts) > 1)
            session = await self._bound()
            response = await session.request(encode, partial(setattr, sent, "in_doubt", True))  # noqa: FBT003 - an attribute's value
            sent.in_doubt, sent.throttled = False, response.status if response.status in THROTTLED else 0
            if sent.throttled:
                self._paused_until = monotonic() + self._settings.throttle_pause
                continue
            if response.status != smpp_pdu.OK or response.command == smpp_pdu.GENERIC_NACK:
                return _failure(response.status or smpp_pdu.INVALID_COMMAND)
            message_id = response.body.partition(b"\0")[0].decode("latin-1")
            sent.ids.append(canonical_id(message_id, self._settings.response_ids))
        return None

    def _encode(self, message: OutgoingMessage, octets: bytes, sequence: int, *, is_part: bool) -> bytes:
        settings = self._settings
        pdu: bytes = self._codec.SubmitSm(
            settings.source,
            message.address.removeprefix("+"),
            octets,
            source_addr_ton=settings.source_ton,
            source_addr_npi=settings.source_npi,
            dest_addr_ton=_INTERNATIONAL,
            dest_addr_npi=_ISDN,
            esm_class=_UDH if is_part else 0,
            registered_delivery=1,
            data_coding=_DATA_CODINGS[encoding_of(message.text)],
            sequence_number=sequence,
        ).encode()
        return pdu

    async def _bound(self) -> SmppSession:
        async with self._binding:
            if self._session is not None and not self._session.closed.is_set():
                return self._session
            if monotonic() < self._bind_at:
                raise SmppClosedError("waiting before the next bind")
            try:
                self._session = await SmppSession.bind(self._options, self._handle)
            except BaseException:
                # SMSCs lock an account that binds in a loop.
                self._bind_at = monotonic() + self._backoff.next_wait()
                raise
            self._backoff.reset()
            return self._session

    async def _handle(self, pdu: Pdu) -> int:
        """Record the receipt of a deliver_sm; another message is acknowledged and ignored."""
        try:
            deliver = smpp_pdu.decode_deliver(pdu)
        except SmppProtocolError:
            return smpp_pdu.INVALID_COMMAND
        tlvs = {tlv.tag: tlv.value for tlv in deliver.tlvs}
        receipt = read_smpp_receipt(deliver.esm_class, deliver.data_coding, deliver.short_message, tlvs)
        if receipt is None:
            return smpp_pdu.OK
        if self._record is None:
            return smpp_pdu.TEMPORARY_APPLICATION_ERROR
        status = {True: ReceiptStatus.DELIVERED, False: ReceiptStatus.FAILED, None: ReceiptStatus.UNDECIDED}[receipt.delivered]
        await self._record(DeliveryReceipt("", status, receipt.code, canonical_id(receipt.message_id, self._settings.receipt_ids)))
        return smpp_pdu.OK


def _failure(status: int, retry_after: float | None = None) -> SendFailed:
    reason = SMPP_STATUS_REASONS.get(status, FailureReason.BUSY)
    return SendFailed(reason, reason.is_permanent, f"0x{status:x}", retry_after)


def _build(settings: SmppSettings, context: ProviderContext) -> SmppProvider:
    tls = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None) if settings.tls else None
    options = SmppOptions(
        host=settings.host,
        port=settings.port,
        system_id=settings.system_id,
        password=context.secret(settings.password_env),
        system_type=settings.system_type,
        window=settings.window,
        enquire_link=settings.enquire_link,
        timeout=context.timeout,
        tls=tls,
    )
    return SmppProvider(options, settings)


KIND = ProviderKind("sms", SmppSettings, _build)
