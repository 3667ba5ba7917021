"""The HTML of a mail: the blocks of its text, escaped, without remote content."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.mail.blocks import CellTable, LabelledRows, NumberedItems, Paragraph, mail_blocks, text_pieces
from services.notify.domain.mail.layout import MailLayout
from services.notify.providers.mail.layout_file import load_mail_layout

LAYOUT = load_mail_layout(None)
TEXT = """投诉单 TS-1 待您办理：

投诉事项：3号楼电梯停运
期限：2026-09-25 10:00

1. 请签收（期限 2026-09-24 18:00）
2. 请联系客户

编号 | 事项 | 期限
TS-1 | 电梯 | 09-25
TS-2 | 漏水 <b> | 09-26

查看：https://complaints.example.org/f/AB-1，请尽快。"""


class VisibleText(HTMLParser):
    """The text between the tags of the body."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self._hidden += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def visible(html: str) -> str:
    parser = VisibleText()
    parser.feed(html)
    return "".join(parser.words)


def test_blocks_of_a_text() -> None:
    assert mail_blocks(TEXT) == [
        Paragraph(("投诉单 TS-1 待您办理：",)),
        LabelledRows((("投诉事项", "3号楼电梯停运"), ("期限", "2026-09-25 10:00"))),
        NumberedItems((("1", "请签收（期限 2026-09-24 18:00）"), ("2", "请联系客户"))),
        CellTable(("编号", "事项", "期限"), (("TS-1", "电梯", "09-25"), ("TS-2", "漏水 <b>", "09-26"))),
        Paragraph(("查看：https://complaints.example.org/f/AB-1，请尽快。",)),
    ]


@pytest.mark.parametrize(
    ("line", "links"),
    [
        ("见 https://a.example/x?y=1&z=2。", ["https://a.example/x?y=1&z=2"]),
        ("(http://a.example/b).", ["http://a.example/b"]),
        ("javascript:alert(1) ftp://a.example https://", []),
    ],
)
def test_written_addresses_are_links_without_the_punctuation_behind_them(line: str, links: list[str]) -> None:
    pieces = text_pieces(line)
    assert [piece.href for piece in pieces if piece.href] == links
    assert "".join(piece.text for piece in pieces) == line


def test_html_escapes_the_text_and_loads_nothing() -> None:
    html = LAYOUT.render("主题 <script>", TEXT + '\n\n<img src="https://spy.example/p.gif"> " onload=x', "zh")
    assert "&lt;b&gt;" in html
    assert re.findall(r"<(?:img|script|link)\b|\ssrc=\"", html) == []
    assert re.findall(r'href="([^"]*)"', html) == ["https://complaints.example.org/f/AB-1", "https://spy.example/p.gif"]
    assert "prefers-color-scheme: dark" in html
    assert '<html lang="zh-CN"' in html


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.sampled_from([*TEXT.split("\n"), "a: b", "1. x", "p | q", "p | q | r", "<b>&amp;", " ", "x：", "99. "]), max_size=12))
def test_html_states_every_word_of_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    # A table's borders replace the colons behind its labels and the bars between its cells.
    said = re.sub(r"[\s：:|]", "", visible(LAYOUT.render("s", text, "en")))
    assert said == re.sub(r"[\s：:|]", "", text)


@pytest.mark.parametrize(
    "source",
    [
        '<img src="https://example.org/logo.png">',
        "<style>body{background:url(https://example.org/x)}</style>",
        "<script>1</script>",
        "{{ missing }}",
        "{% for %}",
    ],
)
def test_layout_that_loads_remote_content_or_cannot_be_rendered_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"template _layout\.html: .*; \w+|remove"):
        MailLayout(source)
