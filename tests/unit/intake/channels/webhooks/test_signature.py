"""Signatures by schemes that are data, against the vectors that the vendors publish."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.intake.channels.webhooks.signature import BadSignatureError, WebhookCall, verify_call
from shared.procedures.source_formats.webhook_map import HmacSignature, TokenSignature

NOW = datetime(2021, 7, 25, 10, 0, tzinfo=UTC)
ANY_SCHEME: TypeAdapter[HmacSignature | TokenSignature] = TypeAdapter(HmacSignature | TokenSignature)


def scheme(**fields: Any) -> HmacSignature | TokenSignature:
    return ANY_SCHEME.validate_python({"kind": "hmac", "header": "X-Signature", "secret_env": ["SECRET"]} | fields)


def rule_of(call: WebhookCall, signature: HmacSignature | TokenSignature, *secrets: bytes, now: datetime = NOW) -> str:
    with pytest.raises(BadSignatureError) as caught:
        verify_call(call, signature, secrets, now)
    return caught.value.fault.rule


def test_zendesks_example() -> None:
    """developer.zendesk.com/documentation/event-connectors/webhooks/verifying: there the time stood behind the body."""
    signature = scheme(encoding="base64", signed="{body}{timestamp}", timestamp={"header": "X-Time", "format": "iso"})
    headers = {"x-signature": "tRDSF7URY8BLCDlaBcQ7FHu051Zk+aAB0NKMP53teMw=", "x-time": "2021-07-25T10:00:00Z"}
    call = WebhookCall(b'{"say": "hello"}', headers)
    verify_call(call, signature, [b"HRkRd4BeOAoUkfZr-mhauJT64rvBASlJRoIyPsd3zeA="], NOW)
    assert rule_of(call, signature, b"other") == "signature"
    assert rule_of(call, signature, b"other", now=NOW + timedelta(seconds=301)) == "outside_window"


def test_twilios_example() -> None:
    """twilio.com/docs/usage/security: URL with its query, then the sorted parameters."""
    signature = scheme(
        header="X-Twilio-Signature", algorithm="sha1", encoding="base64", signed="{url}{form}", url="https://mycompany.com/myapp.php"
    )
    form = [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("From", "+14158675309"),
        ("Digits", "1234"),
        ("Caller", "+14158675309"),
    ]
    call = WebhookCall(b"", {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, "?foo=1&bar=2", form)
    verify_call(call, signature, [b"12345"], NOW)
    other = WebhookCall(b"", call.headers, "?foo=1", form)
    assert rule_of(other, signature, b"12345") == "signature"


def test_githubs_form_with_prefix_and_hexadecimal_digits() -> None:
    signature = scheme(prefix="sha256=")
    digest = hmac.digest(b"It's a Secret to Everybody", b"Hello, World!", "sha256").hex()
    assert digest == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify_call(WebhookCall(b"Hello, World!", {"x-signature": f"sha256={digest.upper()}"}), signature, [b"It's a Secret to Everybody"], NOW)
    assert rule_of(WebhookCall(b"Hello, World!", {"x-signature": digest}), signature, b"x") == "prefix"
    assert rule_of(WebhookCall(b"", {"x-signature": "sha256=xyz"}), signature, b"x") == "encoding"
    assert rule_of(WebhookCall(b"", {}), signature, b"x") == "missing"


def test_either_of_two_secrets_signs_while_it_is_being_changed() -> None:
    call = WebhookCall(b"x", {"x-signature": hmac.digest(b"new", b"x", "sha256").hex()})
    verify_call(call, scheme(), [b"old", b"new"], NOW)
    assert rule_of(call, scheme(), b"old") == "signature"
    assert rule_of(call, scheme()) == "signature"


def test_body_of_any_bytes_is_signed_as_it_is() -> None:
    body = bytes(range(256)) + b"{timestamp}"
    signature = scheme(algorithm="sha512", encoding="base64", signed="v0:{body}")
    sent = base64.b64encode(hmac.new(b"s", b"v0:" + body, hashlib.sha512).digest()).decode().rstrip("=")
    verify_call(WebhookCall(body, {"x-signature": sent}), signature, [b"s"], NOW)


def test_token_in_a_header() -> None:
    bearer, own = scheme(kind="token", header="Authorization"), scheme(kind="token", header="X-Token", prefix="")
    verify_call(WebhookCall(b"", {"authorization": "Bearer secret"}), bearer, [b"secret"], NOW)
    verify_call(WebhookCall(b"", {"x-token": "secret"}), own, [b"secret"], NOW)
    assert rule_of(WebhookCall(b"", {"authorization": "Bearer other"}), bearer, b"secret") == "token"
    assert rule_of(WebhookCall(b"", {"authorization": "Basic secret"}), bearer, b"secret") == "prefix"
