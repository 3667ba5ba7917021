"""Codes for complainants: typed in many ways, found in one, and made only with the key."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.follow_codes import follow_code, follow_key, lookup_key

KEY = follow_key("a secret of the tests")


@given(st.text(min_size=1, max_size=60))
def test_a_code_is_found_however_it_is_typed(case: str) -> None:
    code = follow_code(KEY, case)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code)
    found = lookup_key(code)
    assert found.startswith("follow:")
    typed = [code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code}\n", code.replace("-", "–"), code.replace("0", "O")]
    assert {lookup_key(each) for each in typed} == {found}
    assert lookup_key(code.replace("1", "l")) == lookup_key(code.replace("1", "I")) == found


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_cases_and_no_two_keys_share_a_code(one: str, other: str) -> None:
    assert (follow_code(KEY, one) == follow_code(KEY, other)) == (one == other)
    assert follow_code(KEY, one) != follow_code(follow_key("another secret"), one)


@pytest.mark.parametrize("text", ["", "ABC", "A" * 17, "U" * 16, "ＡＢＣＤ" * 4, "A" * 16 + "\x00", "x" * 100_000, "../../etc/passwd"])
def test_what_can_be_no_code_is_looked_up_nowhere(text: str) -> None:
    assert lookup_key(text) == ""
