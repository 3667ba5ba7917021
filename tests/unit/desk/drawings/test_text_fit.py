"""Texts are shortened to the room that they have."""

from hypothesis import given
from hypothesis import strategies as st

from services.desk.drawings.text_fit import clean_text, fit_text, text_width
from tests.unit.desk.drawings.svg_picture import font_width

READABLE = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "S"], max_codepoint=0x9FFF), max_size=60)


@given(READABLE, st.floats(0, 700))
def test_a_fitted_text_is_never_wider_than_its_room(text: str, room: float) -> None:
    shown = fit_text(text, 11, room)
    assert text_width(shown, 11) <= room or shown == text == ""
    assert shown in {text, ""} or (shown.endswith("…") and text.startswith(shown[:-1]))


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;-–/()%…·电梯困人投诉、。《》"))
def test_the_width_is_an_upper_bound_of_the_font_s_width(text: str) -> None:
    assert font_width(text) <= text_width(text, 1) + 1e-9


def test_what_xml_forbids_is_replaced_and_lines_become_one() -> None:
    assert clean_text("a\x00b\ud800\n\tc\uffff") == "a\ufffdb\ufffd c\ufffd"
