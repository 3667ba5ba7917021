"""Reads the text of a mail as paragraphs, numbered items and tables, so that its HTML states exactly what the text states."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# "投诉事项：漏水", "Matter: a leak": a short label without punctuation. A clock time such as 10:30 has no space after its colon.
_LABELLED = re.compile(r"(?P<label>[^\s:：。，,.;；|<>/][^:：。，,.;；|<>/]{0,23})(?:：\s*|: )(?P<value>\S.*)")
_NUMBERED = re.compile(r"(?P<number>\d{1,3})\. (?P<value>\S.*)")
_CELLS = " | "
# The punctuation of both languages ends an address; a closing bracket belongs to the sentence around it.
_URL = re.compile(r"https?://[^\s<>\"'，。；：、！？）】》「」]+[^\s<>\"'，。；：、！？）】》「」.,;:!?)\]]")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Adjacent lines, without an empty line between them."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberedItems:
    """Items `1. …`; each has its number as written."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """At least two lines `label: value`."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CellTable:
    """At least two lines `a | b | c` with the same number of cells; the first is the heading."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


MailBlock = Paragraph | NumberedItems | LabelledRows | CellTable


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A part of a line; `href` is the address that it links to, empty for words."""

    text: str
    href: str = ""


def mail_blocks(text: str) -> list[MailBlock]:
    """The blocks of a text, in order; every character but line breaks, labels' colons and cell separators is in one of them."""
    blocks: list[MailBlock] = []
    for part in re.split(r"\n[ \t]*\n", text.strip()):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        blocks += _blocks_of(lines)
    return blocks


def _blocks_of(lines: list[str]) -> Iterator[MailBlock]:
    start = 0
    while start < len(lines):
        end = start + 1
        kind = _kind(lines[start])
        while end < len(lines) and _kind(lines[end]) == kind:
            end += 1
        yield _block(kind, lines[start:end])
        start = end


def _kind(line: str) -> str:
    if line.count(_CELLS) > 0:
        return f"cells {line.count(_CELLS)}"
    if _NUMBERED.fullmatch(line):
        return "numbered"
    # A greeting or a heading ends with its colon and is no row.
    return "labelled" if _LABELLED.fullmatch(line) else "words"


def _block(kind: str, lines: list[str]) -> MailBlock:
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    labelled = [_LABELLED.fullmatch(line) for line in lines]
    if kind == "numbered":
        return NumberedItems(tuple((match["number"], match["value"]) for match in numbered if match))
    if len(lines) > 1 and kind == "labelled":
        return LabelledRows(tuple((match["label"].strip(), match["value"]) for match in labelled if match))
    if len(lines) > 1 and kind.startswith("cells"):
        cells = [tuple(cell.strip() for cell in line.split(_CELLS)) for line in lines]
        return CellTable(cells[0], tuple(cells[1:]))
    return Paragraph(tuple(lines))


def text_pieces(line: str) -> list[TextPiece]:
    """The words and the links of a line; only links that the line writes out, so that no address is hidden."""
    pieces, position = [], 0
    for match in _URL.finditer(line):
        if match.start() > position:
            pieces.append(TextPiece(line[position : match.start()]))
        pieces.append(TextPiece(match[0], match[0]))
        position = match.end()
    if position < len(line):
        pieces.append(TextPiece(line[position:]))
    return pieces
