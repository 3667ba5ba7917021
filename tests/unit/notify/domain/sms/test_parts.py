"""Parts of text messages: the counts that carriers charge, and that no character is cut in two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.sms.gsm7 import decode_gsm7, encode_gsm7, is_gsm7, pack_septets
from services.notify.domain.sms.parts import (
    PartCount,
    ReferenceBits,
    concatenation_header,
    count_parts,
    encode_parts,
    split_text,
)

CHINESE = "投"
RARE = "𠮷"
GSM_ALPHABET = st.sampled_from("abcdefghij XYZ0123456789@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ^{}\\[~]|€ñüà")
BITS = st.sampled_from([8, 16])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", PartCount("gsm7", 0, 1)),
        ("a" * 160, PartCount("gsm7", 160, 1)),
        ("a" * 161, PartCount("gsm7", 161, 2)),
        ("a" * 306, PartCount("gsm7", 306, 2)),
        ("a" * 307, PartCount("gsm7", 307, 3)),
        ("€" * 80, PartCount("gsm7", 160, 1)),
        ("€" * 81, PartCount("gsm7", 162, 2)),
        ("€" * 153, PartCount("gsm7", 306, 3)),  # 76 in a part, for an escape stays with its character
        ("Ç", PartCount("gsm7", 1, 1)),
        ("ç", PartCount("ucs2", 1, 1)),
        (CHINESE * 70, PartCount("ucs2", 70, 1)),
        (CHINESE * 71, PartCount("ucs2", 71, 2)),
        (CHINESE * 134, PartCount("ucs2", 134, 2)),
        (CHINESE * 135, PartCount("ucs2", 135, 3)),
        (RARE * 35, PartCount("ucs2", 70, 1)),
        (RARE * 36, PartCount("ucs2", 72, 2)),
        (RARE * 67, PartCount("ucs2", 134, 3)),  # 33 pairs in a part of 67 units
        ("a" * 159 + CHINESE, PartCount("ucs2", 160, 3)),
    ],
)
def test_parts_are_counted_as_carriers_charge_them(text: str, expected: PartCount) -> None:
    assert count_parts(text) == expected


def test_a_reference_of_16_bits_costs_one_unit_a_part() -> None:
    assert [len(part) for part in split_text("a" * 161, 16)] == [152, 9]
    assert [len(part) for part in split_text(CHINESE * 71, 16)] == [66, 5]


@given(text=st.text(GSM_ALPHABET, max_size=700) | st.text(st.sampled_from("a投𠮷😀€"), max_size=300), bits=BITS)
def test_parts_lose_no_character_and_fit_140_octets(text: str, bits: ReferenceBits) -> None:
    parts = split_text(text, bits)
    assert "".join(parts) == text
    encoded = encode_parts(text, 4711, bits, packed=True)
    assert all(len(octets) <= 140 for octets in encoded)
    assert len(encoded) == count_parts(text, bits).parts
    if not is_gsm7(text) and len(parts) > 1:
        header = 6 if bits == 8 else 7
        assert [octets[header:].decode("utf-16-be") for octets in encoded] == parts


@given(st.text(GSM_ALPHABET, max_size=200))
def test_gsm7_is_read_back(text: str) -> None:
    assert decode_gsm7(encode_gsm7(text)) == text


def test_unknown_escape_is_a_space() -> None:
    assert decode_gsm7([0x41, 0x1B, 0x41, 0x1B]) == "A "


def test_septets_are_packed_as_in_the_standard() -> None:
    assert pack_septets(encode_gsm7("hellohello")) == bytes.fromhex("E8329BFD4697D9EC37")
    # After a header of six octets one fill bit makes the text begin at a septet.
    assert pack_septets(encode_gsm7("A"), header_length=6) == bytes([0x41 << 1])
    assert pack_septets(encode_gsm7("A"), header_length=7) == bytes([0x41])


def test_headers_of_concatenated_parts() -> None:
    assert concatenation_header(0x1234, 3, 2, 8) == bytes.fromhex("050003340302")
    assert concatenation_header(0x1234, 3, 2, 16) == bytes.fromhex("06080412340302")
