"""Characters that cannot be stored or sent."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.plain_text import sanitised


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_sanitised_text_can_be_stored_and_sent(text: str) -> None:
    clean = sanitised(text)
    assert "\x00" not in clean
    assert clean.encode().decode() == clean
    assert sanitised(clean) == clean


def test_keys_and_lists_are_sanitised() -> None:
    assert sanitised({"a\x00": ["\ud800", {"b": "ok"}], "n": 1}) == {"a\ufffd": ["\ufffd", {"b": "ok"}], "n": 1}
