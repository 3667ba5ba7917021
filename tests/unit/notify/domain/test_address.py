"""Normalized e-mail addresses and phone numbers, and texts that are neither."""

import pytest

from services.notify.domain import address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wang@example.com", "wang@example.com"),
        (" wang.li+x@mail.example.com ", "wang.li+x@mail.example.com"),
        ("wang@例子.cn", "wang@xn--fsqu00a.cn"),
        ("wang", None),
        ("@example.com", None),
        ("wang@", None),
        ("wang@@example.com", None),
        ("wang@example.com\r\nBcc: all@example.com", None),
        ("wang@example.com\n", "wang@example.com"),
        ("a b@example.com", None),
        ("wang@-example.com", None),
        ("wang@exa..mple.com", None),
        ("王@example.com", "王@example.com"),
        ("王@例子.cn", "王@xn--fsqu00a.cn"),
        ("<wang@example.com>", "wang@example.com"),
        ("王五 <Wang.Wu@B.cn>", "Wang.Wu@b.cn"),
        ("a＠qq.com", "a@qq.com"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@faß。de", "a@xn--fa-hia.de"),
        ("王" * 21 + "@b.cn", "王" * 21 + "@b.cn"),
        ("王" * 22 + "@b.cn", None),
        ("a..b@example.com", None),
        (".a@example.com", None),
        ("a\x00@example.com", None),
        ("wang@" + "a" * 64 + ".com", None),
        ("wang@" + "a." * 150 + "com", None),
    ],
)
def test_email_is_normalized_or_none(text: str, expected: str | None) -> None:
    assert address.normalize_email(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13800000000", "+8613800000000"),
        ("+86 138 0000 0000", "+8613800000000"),
        ("+1 212 555 0100", "+12125550100"),
        ("+852 9876 5432", "+85298765432"),
        ("+853 6612 3456", "+85366123456"),
        ("13512345678-9100", "+8613512345678"),
        ("13800000000/13900000000", "+8613800000000"),
        ("13800000000 李女士", "+8613800000000"),
        ("010-65529988 / 13800000000", "+8613800000000"),
        ("010-65529988转801", None),
        ("400-800-0000", None),
        ("1380000000", None),
        ("12345", None),
        ("95588", None),
        ("852-98765432", None),
        ("12", None),
        ("call me", None),
        ("", None),
    ],
)
def test_phone_is_normalized_or_none(text: str, expected: str | None) -> None:
    assert address.normalize_phone(text, "CN") == expected
