"""Receipts of gateways: each protects its own in its documented way."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import ValidationError

from services.notify.providers.http_gateway import message_mac
from services.notify.providers.kind import ProviderContext
from services.notify.providers.provider import DeliveryReceipt, Provider, ReceiptStatus
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptReader, ReceiptUnreadable
from services.notify.providers.registry import PROVIDER_KINDS
from services.notify.providers.sms.aliyun import signed_headers
from services.notify.providers.sms.twilio import sign_callback
from shared.runtime.clock import Clock

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
KEY = "01999999-0000-7000-8000-000000000001"
URL = "https://complaints.example.org/v1/receipts/p"
SETTINGS: dict[str, dict[str, Any]] = {
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token_env": "SECRET", "source": "+12125550100"},
    "aliyun": {
        "access_key_id": "id",
        "access_key_secret_env": "SECRET",
        "sign_name": "接诉",
        "templates": [{"code": "SMS_1", "text": "a ${b}"}],
        "receipt_token_env": "SECRET",
    },
    "kannel": {"url": "http://127.0.0.1:1/", "username": "u", "password_env": "SECRET", "receipt_secret_env": "SECRET"},
    "http": {
        "url": "http://127.0.0.1:1/",
        "receipts": {
            "signature": {"header": "x-sig", "secret_env": "SECRET", "over": "${timestamp}.${body}", "timestamp_header": "x-time"},
            "items": "body.reports",
            "key": "id",
            "status": "state",
            "delivered": ["ok"],
            "failed": ["bad"],
            "code": "error",
        },
    },
    "http_sms": {"url": "http://127.0.0.1:1/", "receipt_secret_env": "SECRET"},
}


UNSIGNED_TIME = {"header": "a", "secret_env": "S", "timestamp_header": "t"}


def reader(kind: str, **changes: Any) -> ReceiptReader:
    context = ProviderContext("p", Clock(), receipts_url=URL, environment={"SECRET": "s"})
    provider: Provider = PROVIDER_KINDS[kind].create(PROVIDER_KINDS[kind].settings.model_validate(SETTINGS[kind] | changes), context)
    assert isinstance(provider, ReceiptReader)
    return provider


def call(body: bytes = b"", query: Mapping[str, str] | None = None, **headers: str) -> ReceiptCall:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ReceiptCall("POST", list((query or {}).items()), named, body, NOW)


def test_twilios_documented_example_of_a_signature() -> None:
    parameters = {"CallSid": "CA1234567890ABCDE", "From": "+12349013030", "To": "+18005551212", "Caller": "+12349013030", "Digits": "1234"}
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign_callback("12345", url, parameters.items()) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def test_alibaba_clouds_documented_example_of_a_signature() -> None:
    query = {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"}
    now = datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC)
    headers = signed_headers(
        "RunInstances", "ecs.cn-shanghai.aliyuncs.com", query, "YourAccessKeyId", "YourAccessKeySecret", now,
        "3156853299f313e23d1673dc12e1703d", "2014-05-26",
    )  # fmt: skip
    assert headers["Authorization"].endswith(",Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"MessageStatus": "delivered"}, DeliveryReceipt(KEY, ReceiptStatus.DELIVERED)),
        ({"MessageStatus": "undelivered", "ErrorCode": "30005"}, DeliveryReceipt(KEY, ReceiptStatus.FAILED, "30005")),
        ({"MessageStatus": "sent"}, DeliveryReceipt(KEY, ReceiptStatus.UNDECIDED)),
    ],
)
def test_callback_of_twilio(form: dict[str, str], expected: DeliveryReceipt) -> None:
    fields = {"MessageSid": "SM1", "To": "+8613800000001", "Empty": "", **form}
    body = urlencode(fields).encode()
    signature = sign_callback("s", f"{URL}?key={KEY}", fields.items())
    assert reader("twilio").read_receipts(call(body, {"key": KEY}, x_twilio_signature=signature)) == [expected]
    other_key = KEY[:-1] + "2"
    for forged in (
        call(body, {"key": KEY}),
        call(body + b"&x=1", {"key": KEY}, x_twilio_signature=signature),
        call(body, {"key": other_key}, x_twilio_signature=signature),
        call(body, {"key": KEY}, x_twilio_signature="é"),
    ):
        with pytest.raises(ReceiptForged, match="x-twilio-signature: must be"):
            reader("twilio").read_receipts(forged)


def test_push_of_alibaba_cloud() -> None:
    reports = [
        {"phone_number": "13800000001", "success": True, "err_code": "DELIVERED", "sms_size": "1", "biz_id": "1^0", "out_id": KEY},
        {"phone_number": "13800000001", "success": False, "err_code": "MK:0001", "biz_id": "2^0", "out_id": "k2"},
        {"phone_number": "13800000001", "success": True, "err_code": "DELIVERED", "biz_id": "3^0"},
    ]
    body = json.dumps(reports).encode()
    expected = [DeliveryReceipt(KEY, ReceiptStatus.DELIVERED, "DELIVERED"), DeliveryReceipt("k2", ReceiptStatus.FAILED, "MK:0001")]
    aliyun = reader("aliyun")
    assert aliyun.read_receipts(call(body, {"token": "s"})) == expected
    assert aliyun.receipt_reply()["code"] == 0
    with pytest.raises(ReceiptForged, match="token: must be"):
        aliyun.read_receipts(call(body, {"token": "wrong"}))
    with pytest.raises(ReceiptForged):
        aliyun.read_receipts(call(body))
    with pytest.raises(ReceiptUnreadable, match="body: must be the JSON array"):
        aliyun.read_receipts(call(b"{}", {"token": "s"}))


@pytest.mark.parametrize(
    ("number", "status"),
    [("1", ReceiptStatus.DELIVERED), ("2", ReceiptStatus.FAILED), ("16", ReceiptStatus.FAILED), ("8", ReceiptStatus.UNDECIDED)],
)
def test_call_of_kannel(number: str, status: ReceiptStatus) -> None:
    kannel, mac = reader("kannel"), message_mac("s", KEY)
    assert kannel.read_receipts(call(query={"part": KEY, "mac": mac, "type": number})) == [DeliveryReceipt("", status, "", KEY)]
    with pytest.raises(ReceiptForged, match="mac: must be"):
        kannel.read_receipts(call(query={"part": "other", "mac": mac, "type": number}))
    with pytest.raises(ReceiptUnreadable, match="type: must be"):
        kannel.read_receipts(call(query={"part": KEY, "mac": mac, "type": "%d"}))


def signed(body: bytes, stamp: str = STAMP, secret: bytes = b"s") -> ReceiptCall:
    digest = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return call(body, x_sig=digest, x_time=stamp)


def test_call_of_a_described_gateway() -> None:
    gateway = reader("http")
    body = json.dumps(
        {"reports": [{"id": KEY, "state": "ok"}, {"id": "k2", "state": "bad", "error": 7}, {"id": "k3", "state": "?"}]}
    ).encode()
    assert gateway.read_receipts(signed(body)) == [
        DeliveryReceipt(KEY, ReceiptStatus.DELIVERED),
        DeliveryReceipt("k2", ReceiptStatus.FAILED, "7"),
        DeliveryReceipt("k3", ReceiptStatus.UNDECIDED),
    ]
    late = str(int(NOW.timestamp()) - 301)
    for forged in (call(body), signed(body, secret=b"other"), signed(body, late), call(body, x_sig="é", x_time=STAMP)):
        with pytest.raises(ReceiptForged):
            gateway.read_receipts(forged)
    for unreadable in (b"{}", b"not JSON", b'{"reports": [{"state": "ok"}]}'):
        with pytest.raises(ReceiptUnreadable):
            gateway.read_receipts(signed(unreadable))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": {"success": "status =="}}, "is not a JMESPath expression"),
        ({"json": {"to": "${telephone}"}}, "there is no value telephone; use "),
        ({"json": {}, "form": {}}, "json and form: a request has one body; remove one"),
        ({"receipts": SETTINGS["http"]["receipts"] | {"signature": None}}, "token_env or signature: one has to protect the receipts"),
        ({"receipts": SETTINGS["http"]["receipts"] | {"reference": "id"}}, "key and reference: exactly one names the message"),
        ({"receipts": SETTINGS["http"]["receipts"] | {"signature": UNSIGNED_TIME}}, "a timestamp that is not signed"),
    ],
)
def test_description_with_a_fault_names_the_remedy(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match="validation error") as raised:
        PROVIDER_KINDS["http"].settings.model_validate(SETTINGS["http"] | changes)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "changes"), [("twilio", {"source": ""}), ("aliyun", {"templates": [{"code": "SMS_1", "text": "${a}${b}"}]})]
)
def test_settings_that_cannot_work_are_refused(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"sender|two placeholders need text between them"):
        PROVIDER_KINDS[kind].settings.model_validate(SETTINGS[kind] | changes)


@pytest.mark.parametrize("kind", sorted(SETTINGS))
def test_replies_are_json(kind: str) -> None:
    assert json.dumps(reader(kind).receipt_reply())
