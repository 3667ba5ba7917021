"""Texts cut to bytes keep whole characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.chat.text_size import shorten_to_bytes


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("abc", 3, "abc"),
        ("长长", 6, "长长"),
        ("长长长", 8, "长…"),
        ("ab长", 5, "ab长"),
        ("ab长长", 7, "ab…"),
        ("𠮷𠮷𠮷", 9, "𠮷…"),
        ("ae\u0301ee", 5, "a…"),
        ("ab👨\u200d👩\u200d👧c", 12, "ab…"),
        ("ab👍🏽cd", 11, "ab…"),
        ("word word word", 8, "word…"),
    ],
)
def test_text_is_cut_between_characters(text: str, longest: int, expected: str) -> None:
    assert shorten_to_bytes(text, longest) == expected


@given(st.text(max_size=60), st.integers(min_value=3, max_value=80))
def test_cut_text_is_within_the_limit_and_a_beginning_of_the_text(text: str, longest: int) -> None:
    cut = shorten_to_bytes(text, longest)
    assert len(cut.encode()) <= longest
    assert cut == text or text.startswith(cut.removesuffix("…"))
