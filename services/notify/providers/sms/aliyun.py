"""Sends text messages through Alibaba Cloud's `SendSms` and takes its `SmsReport` pushes (docs/how-to/send-sms.md)."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.notify.domain.failure_reason import FailureReason
from services.notify.domain.sms.approved_template import ApprovedTemplate, find_template
from services.notify.providers.http_gateway import GatewayResponse, HttpGateway, failure_of_status
from services.notify.providers.kind import ProviderContext, ProviderKind, ProviderSettings, SecretName
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptUnreadable
from shared.runtime.clock import Clock, uuid7

# Alibaba Cloud's error codes, with their reasons; any other goes by the HTTP status.
ALIYUN_ERRORS: dict[str, FailureReason] = {
    "isv.BUSINESS_LIMIT_CONTROL": FailureReason.BUSY,  # too many messages to this number
    "isv.DAY_LIMIT_CONTROL": FailureReason.BUSY,
    "isv.AMOUNT_NOT_ENOUGH": FailureReason.BUSY,  # the operator tops the account up
    "isv.OUT_OF_SERVICE": FailureReason.BUSY,
    "isp.SYSTEM_ERROR": FailureReason.BUSY,
    "Throttling": FailureReason.BUSY,
    "Throttling.User": FailureReason.BUSY,
    "ServiceUnavailable": FailureReason.BUSY,
    "isv.MOBILE_NUMBER_ILLEGAL": FailureReason.REFUSED,
    "isv.MOBILE_COUNT_OVER_LIMIT": FailureReason.REFUSED,
    "isv.SMS_CONTENT_ILLEGAL": FailureReason.REFUSED,
    "isv.BLACK_KEY_CONTROL_LIMIT": FailureReason.REFUSED,  # a value with a forbidden word
    "isv.PARAM_LENGTH_LIMIT": FailureReason.REFUSED,
    "isv.TEMPLATE_MISSING_PARAMETERS": FailureReason.TEMPLATE,
    "isv.TEMPLATE_PARAMS_ILLEGAL": FailureReason.TEMPLATE,
    "isv.SMS_TEMPLATE_ILLEGAL": FailureReason.CREDENTIALS,  # not approved yet, which the operator can correct
    "isv.SMS_SIGNATURE_ILLEGAL": FailureReason.CREDENTIALS,
    "isv.SMS_SIGN_ILLEGAL": FailureReason.CREDENTIALS,
    "isv.ACCOUNT_ABNORMAL": FailureReason.CREDENTIALS,
    "isv.ACCOUNT_NOT_EXISTS": FailureReason.CREDENTIALS,
    "isv.PRODUCT_UN_SUBSCRIPT": FailureReason.CREDENTIALS,
    "isv.DENY_IP_RANGE": FailureReason.CREDENTIALS,
    "isp.RAM_PERMISSION_DENY": FailureReason.CREDENTIALS,
    "InvalidAccessKeyId.NotFound": FailureReason.CREDENTIALS,
    "SignatureDoesNotMatch": FailureReason.CREDENTIALS,
    "InvalidTimeStamp.Expired": FailureReason.CREDENTIALS,  # our clock is wrong
}
_ALGORITHM = "ACS3-HMAC-SHA256"
_VERSION = "2017-05-25"
_MAINLAND = "+86"
TOKEN_PARAMETER = "token"  # noqa: S105 - the name of a parameter


class AliyunTemplate(BaseModel):
    """An approved template."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^SMS_\d+$")
    text: str = Field(min_length=1, description="the approved text with its ${placeholders}, without the signature")


def _have_placeholders_apart(templates: tuple[AliyunTemplate, ...]) -> tuple[AliyunTemplate, ...]:
    for template in templates:
        if "}${" in template.text:
            raise ValueError(f"{template.code}: two placeholders need text between them, or the end of a value is ambiguous")
    return templates


class AliyunSettings(ProviderSettings):
    """The settings of kind `aliyun`."""

    access_key_id: str = Field(min_length=1)
    access_key_secret_env: SecretName
    sign_name: str = Field(min_length=2, description="the approved signature, without 【】")
    templates: Annotated[tuple[AliyunTemplate, ...], AfterValidator(_have_placeholders_apart)] = Field(min_length=1)
    longest_value: int = Field(35, ge=5, description="characters of a parameter's value; longer ones are cut with an ellipsis")
    receipt_token_env: SecretName = Field("", description="token in the URL of the push, which has no signature; empty: no receipts")
    url: str = Field("https://dysmsapi.aliyuncs.com", pattern=r"^https?://\S+$")


class _Answer(BaseModel):
    """Alibaba Cloud's response."""

    model_config = ConfigDict(extra="ignore")

    code: str = Field("", alias="Code")
    biz_id: str = Field("", alias="BizId", max_length=64)


class _Report(BaseModel):
    """One delivery report of a push."""

    model_config = ConfigDict(extra="ignore")

    success: bool
    err_code: str = ""
    out_id: str = ""
    sms_size: str = ""


_REPORTS = TypeAdapter(list[_Report])


class AliyunProvider:
    """A provider of channel `sms`; `SendSms` has no idempotency key, so a message in doubt may be sent twice."""

    channel = "sms"

    def __init__(self, settings: AliyunSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._secret = context.secret(settings.access_key_secret_env)
        self._token = context.secret(settings.receipt_token_env)
        self._templates = [ApprovedTemplate(template.code, template.text) for template in settings.templates]
        self._clock: Clock = context.clock
        self._gateway = HttpGateway(context.timeout)

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        """Send the approved template whose text is the message's; without one another provider has to send it."""
        match = find_template(self._templates, message.text)
        if match is None:
            return SendFailed(FailureReason.TEMPLATE, permanent=True)
        template, parameters = match
        query = {
            "PhoneNumbers": message.address.removeprefix(_MAINLAND).removeprefix("+"),
            "SignName": self._settings.sign_name,
            "TemplateCode": template.code,
            "TemplateParam": json.dumps({name: self._cut(value) for name, value in parameters.items()}, ensure_ascii=False),
            "OutId": message.idempotency_key,
        }
        url = self._settings.url.rstrip("/")
        headers = signed_headers(
            "SendSms", urlsplit(url).netloc, query, self._settings.access_key_id, self._secret, self._clock.real_now(), uuid7()
        )
        response = await self._gateway.call("POST", f"{url}/?{canonical_query(query)}", headers=headers)
        return response if isinstance(response, SendFailed) else _interpret(response)

    def read_receipts(self, call: ReceiptCall) -> Sequence[DeliveryReceipt]:
        """The reports of one push."""
        token = dict(call.query).get(TOKEN_PARAMETER, "")
        if not self._token or not hmac.compare_digest(self._token.encode(), token.encode()):
            raise ReceiptForged(
                f"{TOKEN_PARAMETER}: must be the one of receipt_token_env; set the address of the push to end with ?token=…"
            )
        try:
            reports = _REPORTS.validate_json(call.body)
        except ValidationError as error:
            raise ReceiptUnreadable("body: must be the JSON array of SmsReport; choose HTTP batch push in the console") from error
        return [
            DeliveryReceipt(report.out_id, ReceiptStatus.DELIVERED if report.success else ReceiptStatus.FAILED, _code(report.err_code))
            for report in reports
            if report.out_id
        ]

    def receipt_reply(self) -> dict[str, Any]:
        """Without it the push is repeated after 1, 5 and 10 minutes."""
        return {"code": 0, "msg": "接收成功"}

    async def close(self) -> None:
        """Close the connections."""
        await self._gateway.close()

    def _cut(self, value: str) -> str:
        longest = self._settings.longest_value
        return value if len(value) <= longest else value[: longest - 1] + "…"


def canonical_query(parameters: Mapping[str, str]) -> str:
    """The parameters sorted by name, encoded by RFC 3986."""
    return "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))


def signed_headers(
    action: str, host: str, query: Mapping[str, str], key_id: str, secret: str, now: datetime, nonce: str, version: str = _VERSION
) -> dict[str, str]:  # fmt: skip
    """The headers of a POST without a body, with signature V3 (Alibaba Cloud, "V3 request structure and signature")."""
    body_hash = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": body_hash,
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    canonical_headers = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = f"POST\n/\n{canonical_query(query)}\n{canonical_headers}\n{names}\n{body_hash}"
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return {**headers, "Authorization": f"{_ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"}


def _interpret(response: GatewayResponse) -> SendAccepted | SendFailed:
    try:
        answer = _Answer.model_validate_json(response.content)
    except ValidationError:
        return failure_of_status(response)
    if response.is_success and answer.code == "OK" and answer.biz_id:
        return SendAccepted(answer.biz_id)
    if answer.code not in ALIYUN_ERRORS:
        return failure_of_status(response)
    reason = ALIYUN_ERRORS[answer.code]
    # A code of the table above holds no text of the peer.
    return SendFailed(reason, reason.is_permanent, answer.code)


def _code(text: str) -> str:
    """The report's code, such as `UNDELIVERED` or `MK:0001`, without characters that could be anything else."""
    return "".join(character for character in text if character.isascii() and (character.isalnum() or character in ":._-"))[:20]


KIND = ProviderKind("sms", AliyunSettings, AliyunProvider)
