"""Tokens of opened forms: signed for one source, too young, good, too old."""

import pytest

from services.intake.transports.web_form.form_token import FormToken, FormTokens

TOKENS = FormTokens("secret", min_seconds=3, max_seconds=100)
NONCE = "01934b1c-0000-7000-8000-000000000001"
TOKEN = FormToken("web", 1_000, NONCE)


def test_token_is_read_for_its_source_only() -> None:
    text = TOKENS.sign(TOKEN)
    assert TOKENS.read(text, "web") == TOKEN
    assert TOKENS.read(text, "hotline") is None
    assert FormTokens("another secret", 3, 100).read(text, "web") is None


@pytest.mark.parametrize("text", ["", "x", f"1000.{NONCE}", f"9999.{NONCE}.{'0' * 64}", f"1000.{NONCE}.{'0' * 64}"])
def test_other_texts_are_no_token(text: str) -> None:
    assert TOKENS.read(text, "web") is None


@pytest.mark.parametrize(("now", "fault"), [(1_000, "too_fast"), (1_002.9, "too_fast"), (1_003, ""), (1_100, ""), (1_100.1, "expired")])
def test_age_decides(now: float, fault: str) -> None:
    assert TOKENS.fault(TOKEN, now) == fault
    assert TOKENS.fault(None, now) == "missing"
