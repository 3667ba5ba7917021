"""Phone numbers, e-mail addresses and identity numbers as people write them."""

import pytest

from shared.contracts.contact_forms import normal_id_number, read_email, read_phone


@pytest.mark.parametrize(
    ("written", "normal_form"),
    [
        ("13800001234", "+8613800001234"),
        ("138 0000-1234", "+8613800001234"),
        ("+86 13800001234", "+8613800001234"),
        ("0086 13800001234", "+8613800001234"),
        ("13８００００００００", "+8613800000000"),
        ("（010）1234 5678", "+861012345678"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+852 98765432", "+85298765432"),
        ("010-65529988转801", "+861065529988;ext=801"),
        ("010-6552 9988 转 801", "+861065529988;ext=801"),
        ("010-65529988-801", "+861065529988;ext=801"),
        ("李女士 010-65529988 ext. 801", "+861065529988;ext=801"),
        ("13512345678-9100", "+8613512345678;ext=9100"),
        ("13800000000/13900000000", "+8613800000000"),
        ("13800000000 13900000000", "+8613800000000"),
        ("12345、13900000000", "+8613900000000"),
        ("13800000000 李女士", "+8613800000000"),
        ("李女士13800000000", "+8613800000000"),
        ("\u202d138\u200b00000000\u202c", "+8613800000000"),
        ("1380000000", None),
        ("138000000000", None),
        ("15400000000", None),
        ("12345", None),
        ("95588", None),
        ("852-98765432", None),
        ("abc", None),
        ("", None),
    ],
)
def test_phone_is_a_valid_number_with_its_extension(written: str, normal_form: str | None) -> None:
    number = read_phone(written, "CN")
    assert (number.normal_form if number else None) == normal_form


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Wang.Wu@QQ.com", "wang.wu@qq.com"),
        ("王五 <a@b.cn>", "a@b.cn"),
        ("a＠qq.com", "a@qq.com"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@中国.cn", "a@xn--fiqs8s.cn"),
        ("\ufeffa@b.cn\u200b", "a@b.cn"),
        ("a@b", None),
        ("a b@c.de", None),
        ("@x.cn", None),
        ("a@@b.cn", None),
        ("a@-b.cn", None),
        ("a@b..cn", None),
        ("a" * 65 + "@b.cn", None),
        ("王五", None),
    ],
)
def test_address_is_read_without_display_name_by_idna_2008(written: str, address: str | None) -> None:
    assert read_email(written) == address


@pytest.mark.parametrize("written", ["１１0105 19491231-002x", "110105\u200b19491231002X", "110105\u201419491231\u2013002X"])
def test_id_number_has_one_form(written: str) -> None:
    assert normal_id_number(written) == "11010519491231002X"
