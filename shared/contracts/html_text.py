"""Text of an HTML message, without tags, scripts and styles."""

import re
from html.parser import HTMLParser

# Only tags that mail programs and web forms write: "<b" in "if a<b" is no tag, and would swallow the rest of the text.
_TAG = re.compile(
    r"</?(?:html|head|body|div|p|br|span|font|table|tbody|tr|td|th|ul|ol|li|b|i|u|em|strong|a|img|h[1-6]|hr|style|script|blockquote|pre|center|title|meta|section|article)"
    r"(?:\s[^<>]*)?/?>|<!--|<!doctype",
    re.IGNORECASE,
)
# A tag that does not end before the next one is text. The parser would scan to the end of the text for each: 3.4 s for 20,000 characters.
_UNCLOSED = re.compile(r"<(?![^<>]*>)")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|nbsp|lt|gt|amp|quot|ldquo|rdquo|hellip|mdash);")
_BLOCK_TAGS = frozenset(
    re.findall(r"\w+", "html head body div p br table tr td th ul ol li h1 h2 h3 h4 h5 h6 hr blockquote pre center title section article")
)
# From the first space on only: from each space of a long run the search would scan the rest of the run.
_BREAKS = re.compile(r"(?<!\s)\s*\n\s*")
_WITHOUT_TEXT = frozenset({"script", "style"})


def html_to_text(text: str) -> str:
    """The text without HTML, a line for each block; a text that is not HTML is returned unchanged."""
    if "<" in text and _TAG.search(text):
        parser = _TextParser()
        parser.feed(_UNCLOSED.sub("&lt;", text))
        parser.close()
        # One line break between two blocks: a blank line is a paragraph's end, and <p> also separates words of one sentence.
        return _BREAKS.sub("\n", "".join(parser.parts))
    if "&" in text and _ENTITY.search(text):
        parser = _TextParser()
        parser.handle_text_only(text)
        return "".join(parser.parts)
    return text


class _TextParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts = list[str]()
        self._skipped = ""

    def handle_text_only(self, text: str) -> None:
        """Read character references only: every `<` is text."""
        self.feed(text.replace("<", "&lt;"))
        self.close()

    def parse_marked_section(self, i: int, report: bool = True) -> int:  # noqa: ARG002 - the parser's signature
        """Leave `<![…>` out, as browsers do: the parser of the standard library fails on words that it does not expect there."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's signature
        if tag in _WITHOUT_TEXT:
            self._skipped = tag
        elif tag in _BLOCK_TAGS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipped:
            self._skipped = ""
        elif tag in _BLOCK_TAGS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            # A line break in HTML source is white space; only tags begin lines.
            self.parts.append(data.replace("\r", " ").replace("\n", " "))
