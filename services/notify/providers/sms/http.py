"""Sends text messages through an HTTP gateway that is described in YAML (docs/how-to/send-sms.md)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote

import jmespath
from jmespath.exceptions import JMESPathError

from services.notify.domain.sms.parts import count_parts
from services.notify.providers.http_gateway import GatewayResponse, HttpGateway, failure_of_status, retry_after
from services.notify.providers.kind import ProviderContext, ProviderKind
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptUnreadable, is_recent_timestamp
from services.notify.providers.sms.http_description import PLACEHOLDER, HttpReceipts, HttpReceiptSignature, HttpSettings

_LONGEST_CODE = 20


class HttpProvider:
    """A provider of channel `sms` for a gateway without a kind of its own."""

    channel = "sms"

    def __init__(self, settings: HttpSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._clock = context.clock
        self._constants = {name: context.secret(variable) for name, variable in settings.variables_env.items()}
        self._constants["receipts_url"] = context.receipts_url
        receipts = settings.receipts
        self._token = context.secret(receipts.token_env) if receipts else ""
        self._signing_secret = context.secret(receipts.signature.secret_env) if receipts and receipts.signature else ""
        self._gateway = HttpGateway(context.timeout)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Send the described request with its placeholders replaced."""
        settings, values = self._settings, self._constants | _message_values(message, self._clock.real_now())
        request: dict[str, Any] = {"headers": _filled(settings.headers, values)}
        if settings.query:
            request["params"] = _filled(settings.query, values)
        if settings.json_body is not None:
            request["json"] = _filled(settings.json_body, values)
        if settings.form is not None:
            request["data"] = _filled(settings.form, values)
        url = PLACEHOLDER.sub(lambda match: quote(str(values[match[1]]), safe=""), settings.url)
        response = await self._gateway.call(settings.method, url, **request)
        return response if isinstance(response, SendFailed) else self._interpret(response)

    def read_receipts(self, call: ReceiptCall) -> Sequence[DeliveryReceipt]:
        """The reports of one call."""
        receipts = self._settings.receipts
        if receipts is None:
            raise ReceiptForged("this provider takes no receipts; describe them in the providers file")
        self._check_authentic(receipts, call)
        content = {"body": _content(call.body), "query": dict(call.query)}
        items = _search(receipts.items, content)
        if not isinstance(items, list):
            raise ReceiptUnreadable("items: must be a list; correct the expression in the providers file")
        return [_receipt(receipts, item) for item in items]

    def receipt_reply(self) -> dict[str, Any]:
        """As described."""
        return dict(self._settings.receipts.reply) if self._settings.receipts else {}

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()

    def _interpret(self, response: GatewayResponse) -> SendAccepted | SendFailed:
        answer, content = self._settings.answer, {"status": response.status, "body": _content(response.content)}
        for error in answer.errors:
            if _search(error.when, content) is True:
                return SendFailed(error.failure, error.permanent, _code(_search(answer.code, content)), retry_after(response.headers))
        if _search(answer.success, content) is not True:
            return failure_of_status(response)
        reference = _text(_search(answer.reference, content))
        if answer.reference is not None and not reference:
            return failure_of_status(response)
        parts = _search(answer.parts, content)
        named = (reference,) if self._settings.receipts and self._settings.receipts.reference else ()
        return SendAccepted(reference, named, int(parts) if str(parts).isdecimal() else 0)

    def _check_authentic(self, receipts: HttpReceipts, call: ReceiptCall) -> None:
        if receipts.token_env:
            token = dict(call.query).get("token", "")
            if not hmac.compare_digest(self._token.encode(), token.encode()):
                raise ReceiptForged("token: must be the one of receipts.token_env; let the gateway call the URL with ?token=…")
        if receipts.signature is not None:
            _check_signature(receipts.signature, self._signing_secret, call)


def _check_signature(signature: HttpReceiptSignature, secret: str, call: ReceiptCall) -> None:
    timestamp = call.headers.get(signature.timestamp_header, "") if signature.timestamp_header else ""
    values = {"timestamp": timestamp.encode("latin-1", "replace"), "body": call.body}
    pieces = PLACEHOLDER.split(signature.over)
    signed = b"".join(values[piece] if position % 2 else piece.encode() for position, piece in enumerate(pieces))
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    expected = signature.prefix + (digest.hex() if signature.encoding == "hex" else base64.b64encode(digest).decode())
    if not hmac.compare_digest(expected.encode(), call.headers.get(signature.header, "").encode()):
        raise ReceiptForged(f"{signature.header.lower()}: must be the HMAC-SHA256 over {signature.over}")
    if signature.timestamp_header and not is_recent_timestamp(timestamp, call.now, timedelta(seconds=signature.tolerance)):
        rule = f"must be at most {signature.tolerance:g} s off, in seconds since 1970"
        raise ReceiptForged(f"{signature.timestamp_header.lower()}: {rule}")


def _message_values(message: OutgoingMessage, now: datetime) -> dict[str, Any]:
    count = count_parts(message.text)
    digits = message.address.removeprefix("+")
    return {
        "to": message.address,
        "to_digits": digits,
        "to_national": digits.removeprefix("86"),
        "text": message.text,
        "key": message.idempotency_key,
        "encoding": count.encoding,
        "parts": count.parts,
        "timestamp": int(now.timestamp()),
    }


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its placeholders replaced; a text that is one placeholder becomes the value itself, a number too."""
    if isinstance(template, Mapping):
        return {name: _filled(item, values) for name, item in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(item, values) for item in template]
    if not isinstance(template, str):
        return template
    whole = PLACEHOLDER.fullmatch(template)
    return values[whole[1]] if whole else PLACEHOLDER.sub(lambda match: str(values[match[1]]), template)


def _content(body: bytes) -> Any:
    """JSON as its value, a form as a mapping, anything else as text."""
    try:
        return json.loads(body)
    except ValueError:
        text = body.decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True)) if "=" in text and "<" not in text else text


def _search(expression: str | None, content: Any) -> Any:
    """The result of the expression; None without an expression, and for content that does not fit it."""
    if expression is None:
        return None
    try:
        return jmespath.search(expression, content)
    except JMESPathError:
        return None


def _receipt(receipts: HttpReceipts, item: Any) -> DeliveryReceipt:
    status = _text(_search(receipts.status, item))
    statuses = {**dict.fromkeys(receipts.failed, ReceiptStatus.FAILED), **dict.fromkeys(receipts.delivered, ReceiptStatus.DELIVERED)}
    name = _text(_search(receipts.key or receipts.reference, item))
    if not name:
        raise ReceiptUnreadable(f"{'key' if receipts.key else 'reference'}: is missing in a report; correct the expression")
    code = _code(_search(receipts.code, item))
    return DeliveryReceipt(name if receipts.key else "", statuses.get(status, ReceiptStatus.UNDECIDED), code, "" if receipts.key else name)


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)[:200]


def _code(value: Any) -> str:
    """Digits only: a text of the gateway could repeat the address."""
    text = _text(value)
    return text if text.isascii() and text.isdigit() and len(text) <= _LONGEST_CODE else ""


KIND = ProviderKind("sms", HttpSettings, HttpProvider)
