"""The text that a person reads in a mail, and the names of its attachments."""

import re
from dataclasses import dataclass
from email.message import Message

from services.intake.channels.mail.charsets import decode_text
from services.intake.channels.mail.headers import decoded
from services.intake.channels.mail.message import content_bytes, parameter, parts_of
from services.intake.domain.plain_text import sanitised_text
from shared.contracts.html_text import html_to_text

_MAX_TEXT_BYTES = 1_000_000
_MAX_HTML = 150_000
_MAX_TEXT = 200_000
_MAX_ATTACHMENTS = 100
_MAX_NAME = 200
_MAX_PARTS_READ = 300
_MAX_DEPTH = 60
# With every `<` before it: what remains on both sides must not become a declaration.
_DECLARATION = re.compile(r"(?<!<)<+[!?][^>]*>?")
_WHITE_SPACE = re.compile(r"[ \t\r\n\f]+")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANK_LINES = re.compile(r"\n{3,}")
_PHRASE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{1,12}")
_MAX_PHRASE = 20


@dataclass(slots=True)
class MailBody:
    """The text, and attachments as name and part; `notes` name parts that were not read as labelled."""

    text: str
    attachments: list[tuple[str, Message]]
    notes: list[str]


def read_body(root: Message) -> MailBody:
    """The body of a mail: its text parts in order, of alternatives the plain one unless it is empty."""
    reader = _BodyReader()
    text = reader.text_of(root, 0)
    if not text.strip() and reader.forwarded:
        text = reader.text_of(reader.forwarded[0], 1)
    return MailBody(_tidy(text), reader.attachments[:_MAX_ATTACHMENTS], list(dict.fromkeys(reader.notes)))


class _BodyReader:
    def __init__(self) -> None:
        self.attachments: list[tuple[str, Message]] = []
        self.forwarded: list[Message] = []
        self.notes: list[str] = []
        self._parts = 0

    def text_of(self, part: Message, depth: int) -> str:
        self._parts += 1
        if self._parts > _MAX_PARTS_READ or depth > _MAX_DEPTH:
            return ""
        kind, children = part.get_content_type(), parts_of(part)
        if kind == "message/rfc822":
            self.forwarded += children[:1]
            self._add_attachment(part, f"{decoded(str(children[0].get('subject', '')))[:80]}.eml" if children else "mail.eml")
            return ""
        if children:
            return self._text_of_parts(kind, children, depth)
        if kind in {"text/plain", "text/html"} and not self._is_attachment(part):
            return self._text(part, kind)
        # An empty multipart and the fields of a report are no file of anybody.
        if part.get_content_maintype() not in {"multipart", "message"} and kind != "text/rfc822-headers":
            self._add_attachment(part, "")
        return ""

    def _text_of_parts(self, kind: str, children: list[Message], depth: int) -> str:
        texts = [self.text_of(child, depth + 1) for child in children]
        if kind == "multipart/alternative":
            return next((text for text in texts if text.strip()), "")
        return "\n".join(text for text in texts if text.strip())

    def _is_attachment(self, part: Message) -> bool:
        return str(part.get("content-disposition", "")).strip().lower().startswith("attachment") or bool(_file_name(part))

    def _add_attachment(self, part: Message, default: str) -> None:
        name = _file_name(part) or default or f"{part.get_content_maintype()}.{part.get_content_subtype()}"[:50]
        self.attachments.append((sanitised_text(" ".join(name.split()))[:_MAX_NAME], part))

    def _text(self, part: Message, kind: str) -> str:
        data = content_bytes(part)[:_MAX_TEXT_BYTES]
        text, note = decode_text(data, parameter(part, "charset"))
        if note:
            self.notes.append(note)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if kind == "text/html":
            return _html_text(text)
        return _unwrapped(text) if parameter(part, "format").lower() == "flowed" else text


def _file_name(part: Message) -> str:
    return decoded(parameter(part, "filename", "content-disposition") or parameter(part, "name")).strip()


def _html_text(html: str) -> str:
    # Without comments and declarations: the parser searches the whole rest of the text for the end of each of them.
    visible = _WHITE_SPACE.sub(" ", _DECLARATION.sub("", _without_comments(html)))[:_MAX_HTML]
    lines = [line.strip() for line in html_to_text(visible).strip().split("\n")]
    # Some programs write a paragraph for each word: «电梯» and «停运» are one phrase.
    is_phrase = all(_PHRASE.fullmatch(line) for line in lines) and sum(map(len, lines)) <= _MAX_PHRASE
    return ("" if is_phrase else "\n").join(lines)


def _without_comments(html: str) -> str:
    parts: list[str] = []
    position = 0
    while (start := html.find("<!--", position)) >= 0:
        parts.append(html[position:start])
        end = html.find("-->", start + 4)
        if end < 0:
            return "".join(parts)
        position = end + 3
    return "".join([*parts, html[position:]])


def _unwrapped(text: str) -> str:
    """Join the lines of format=flowed (RFC 3676): a line that ends with a space continues on the next."""
    lines: list[str] = []
    goes_on = False
    for raw_line in text.split("\n"):
        line = raw_line.removeprefix(" ")
        if goes_on and not line.startswith(">"):
            lines[-1] += line
        else:
            lines.append(line)
        goes_on = line.endswith(" ") and line != "-- "
    return "\n".join(lines)


def _tidy(text: str) -> str:
    text = _CONTROL.sub(" ", sanitised_text(text[:_MAX_TEXT])).replace("\ufeff", "")
    return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
