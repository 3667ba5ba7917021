"""Text of HTML, whatever stands between its tags."""

import pytest

from shared.contracts.html_text import html_to_text


@pytest.mark.parametrize(
    "section", ["<![x[y]>", "<![if !supportLists]>", "<![endif]>", "<![if--]>", "<![>", "<![CDATA[x]]>", "<!x>", "<!-- x -->"]
)
def test_what_is_no_text_is_left_out(section: str) -> None:
    assert html_to_text(f"<p>电梯{section}停运</p>").strip() == "电梯停运"
