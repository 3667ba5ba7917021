"""Prints filled forms as PDF with fpdf2, in the Chinese font of an installed package; needs the extra `forms`."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import noto_cjk_sans_otc
from fpdf import FPDF, FontFace
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import TTFFont

from shared.procedures.forms.filled_form import FilledField, FilledForm, FilledSection, FilledSignature, FilledTable
from shared.procedures.forms.page_layout import WORDS, field_rows, field_text, foot_lines, head_line, number_line, signature_label
from shared.procedures.model.procedure import LanguageCode

FONT = "cjk"
MARGIN = 15
TEXT_SIZE, SMALL_SIZE, TITLE_SIZE = 9.5, 8, 16
LINE_HEIGHT = 5.2
LABEL_SHARE = 0.17
_SIMPLIFIED_CHINESE = 2
"""The font's number in the collection: Japanese, Korean, Simplified Chinese, …; each draws shared characters in its own way."""
_MOST_LINES = 20
"""Longer cells are continued in a further row: the library cannot break a row across pages."""
_PHOTO_HEIGHT = 60
_LEAST_SECTION_HEIGHT = 35
_SIGNATURE_HEIGHT = 17
_PADDING = (1, 2)
_SLACK = 0.2
"""Millimetres by which lines are shorter than their cell, so that the library does not break them again."""
# The library breaks Chinese between any two characters; by the rules of typesetting no line begins with 。 or ends with （.
_UNIT = re.compile(r"[（「『《〈“‘【〔]*(?:[\x21-\x7e]+|.)[，。、；：？！）」』》〉”’】〕…·]*", re.DOTALL)
_HEAD = FontFace(emphasis="", fill_color=(243, 243, 243))
_SECTION = FontFace(emphasis="", fill_color=(225, 225, 225))
# Equal forms give equal files, so that a kept file can be compared; the date of printing is no part of a form.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)

Cell = tuple[str, int, FontFace | None]
"""A cell of a table: its text, how many columns it takes, and its style."""
Row = tuple[Sequence[Cell], float]
"""A row of a table: its cells and its least height."""


class FormDocument(FPDF):
    """An A4 document of one or several forms; each page has its number at the foot."""

    def __init__(self, title: str, *, is_chinese: bool) -> None:
        super().__init__(format="A4")
        self.is_chinese = is_chinese
        self._unit_widths: dict[tuple[float, str], float] = {}
        self.add_font(FONT, fname=str(noto_cjk_sans_otc.FONT_PATH), collection_font_number=_SIMPLIFIED_CHINESE)
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN)
        self.set_title(title)
        self.set_lang("zh-CN" if is_chinese else "en")
        self.set_creation_date(_CREATED)
        self.set_font(FONT, size=TEXT_SIZE)

    def footer(self) -> None:
        """The page's number and the number of pages."""
        self.set_y(-MARGIN + 3)
        self.set_font(FONT, size=SMALL_SIZE)
        text = f"第 {self.page_no()} 页 共 {{nb}} 页" if self.is_chinese else f"page {self.page_no()} of {{nb}}"
        self.cell(w=0, h=LINE_HEIGHT, text=text, align="C")

    def print(self) -> bytes:
        """The document as a file; nothing can be drawn afterwards."""
        content = bytes(self.output())
        self.close_font()
        return content

    def close_font(self) -> None:
        """Close the font's file, which the library keeps open until the garbage collector finds it."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def write_line(self, text: str, size: float = TEXT_SIZE, align: str = "L") -> None:
        """Write a paragraph over the width of the page."""
        self.set_font(FONT, size=size)
        height = LINE_HEIGHT * size / TEXT_SIZE
        text = "\n".join(self._lines(text, self.epw - 2 * self.c_margin))
        self.multi_cell(w=0, h=height, text=text, align=align, wrapmode=WrapMode.CHAR, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(FONT, size=TEXT_SIZE)

    def draw_table(self, shares: Sequence[float], rows: Sequence[Row], heading_rows: int = 0) -> None:
        """Draw a table with these shares of the width; heading rows are repeated on each page."""
        widths = tuple(share * self.epw for share in shares)
        with self.table(
            width=self.epw,
            col_widths=widths,
            first_row_as_headings=heading_rows > 0,
            num_heading_rows=heading_rows or 1,
            headings_style=FontFace(emphasis=""),
            line_height=LINE_HEIGHT,
            padding=_PADDING,
            text_align="L",
            v_align="T",
            wrapmode=WrapMode.CHAR,
        ) as table:
            for cells, least_height in rows:
                for part, height in self._split_row(cells, widths, least_height):
                    row = table.row(min_height=height)
                    for text, columns, style in part:
                        row.cell(text, colspan=columns, style=style)

    def _split_row(self, cells: Sequence[Cell], widths: Sequence[float], least_height: float) -> list[Row]:
        lines_by_cell: list[list[str]] = []
        column = 0
        for text, columns, _ in cells:
            width = sum(widths[column : column + columns]) - 2 * _PADDING[1]
            lines_by_cell.append(self._lines(text, width))
            column += columns
        parts: list[Row] = []
        for start in range(0, max(1, *(len(lines) for lines in lines_by_cell)), _MOST_LINES):
            texts = ["\n".join(lines[start : start + _MOST_LINES]) for lines in lines_by_cell]
            part = [(text, columns, style) for text, (_, columns, style) in zip(texts, cells, strict=True)]
            parts.append((part, 0 if start else least_height))
        return parts

    def _lines(self, text: str, width: float) -> list[str]:
        return [line for paragraph in text.split("\n") for line in self._broken_paragraph(paragraph, width - _SLACK)]

    def _broken_paragraph(self, paragraph: str, width: float) -> Iterator[str]:
        line, length = "", 0.0
        for unit in self._units(paragraph, width):
            unit_length = self._unit_width(unit)
            if line and length + unit_length > width:
                yield line.rstrip()
                line, length = "", 0.0
                if unit.isspace():
                    continue
            line += unit
            length += unit_length
        yield line

    def _unit_width(self, unit: str) -> float:
        # The library measures a text anew each time; a form has few different characters.
        key = (self.font_size, unit)
        if key not in self._unit_widths:
            self._unit_widths[key] = self.get_string_width(unit)
        return self._unit_widths[key]

    def _units(self, paragraph: str, width: float) -> Iterator[str]:
        """Parts without a line break: an English word, a Chinese character with its punctuation; characters if that is too long."""
        for unit in _UNIT.findall(paragraph):
            if self._unit_width(unit) > width:
                yield from unit
            else:
                yield unit


def render_form_pdf(form: FilledForm) -> bytes:
    """The form as a PDF document."""
    return render_forms_pdf([form])


def render_forms_pdf(forms: Sequence[FilledForm]) -> bytes:
    """Forms of one language as one PDF document, each from a new page on."""
    document = FormDocument(f"{forms[0].title} {forms[0].number}".strip(), is_chinese=forms[0].language == "zh")
    for form in forms:
        draw_form(document, form)
    return document.print()


def draw_form(document: FormDocument, form: FilledForm) -> None:
    """Add a form to a document, from a new page on."""
    document.add_page(orientation="landscape" if form.is_landscape else "portrait")
    if form.organisation:
        document.write_line(form.organisation, align="C")
    document.write_line(form.title, TITLE_SIZE, "C")
    document.ln(2)
    top = document.get_y()
    document.write_line(number_line(form), SMALL_SIZE, "R")
    document.set_y(top)
    document.write_line(head_line(form), SMALL_SIZE)
    for section in form.sections:
        _draw_section(document, form, section)
    document.ln(1)
    for line in foot_lines(form):
        document.write_line(line, SMALL_SIZE)


def _draw_section(document: FormDocument, form: FilledForm, section: FilledSection) -> None:
    rows: list[Row] = [([(section.title, 4, _SECTION)], 0.0)] if section.title else []
    for fields in field_rows(section.fields):
        rows += _field_rows(fields, WORDS[form.language]["photo"])
    # The heading of a section does not stay alone at the foot of a page.
    if document.will_page_break(_LEAST_SECTION_HEIGHT):
        document.add_page()
    if rows:
        document.draw_table((LABEL_SHARE, 0.5 - LABEL_SHARE) * 2, rows)
    if section.table is not None:
        _draw_rows(document, section.table)
    if section.signatures:
        _draw_signatures(document, section.signatures, form.language)


def _field_rows(fields: Sequence[FilledField], photo_word: str) -> Iterator[Row]:
    """The row of one or two fields; a field of photographs has a row for each, with room to glue it on."""
    if fields[0].photos:
        label = fields[0].label
        for index, photo in enumerate(fields[0].photos, 1):
            yield [(label if index == 1 else "", 1, _HEAD), (f"{photo_word} {index}: {photo}", 3, None)], _PHOTO_HEIGHT
        return
    columns = 3 if len(fields) == 1 else 1
    cells: list[Cell] = []
    for field in fields:
        cells += [(field.label, 1, _HEAD), (field_text(field, photo_word), columns, None)]
    yield cells, min(max(field.lines for field in fields), _MOST_LINES) * LINE_HEIGHT + 2 * _PADDING[0]


def _draw_rows(document: FormDocument, table: FilledTable) -> None:
    if table.title:
        document.draw_table((1,), [([(table.title, 1, _SECTION)], 0)])
    heads: list[Cell] = [(head, 1, _HEAD) for head in table.heads]
    rows: list[Row] = [(heads, 0)]
    rows += [([(cell, 1, None) for cell in row], LINE_HEIGHT + 2 * _PADDING[0]) for row in table.rows]
    document.draw_table(table.column_shares, rows, heading_rows=1)


def _draw_signatures(document: FormDocument, signatures: Sequence[FilledSignature], language: LanguageCode) -> None:
    words = WORDS[language]
    cells: list[Cell] = []
    for signature in signatures:
        name, at = (text or "_" * 16 for text in (signature.name, signature.at))
        cells.append((f"{signature_label(signature, language)}\n{words['name']}  {name}\n{words['at']}  {at}", 1, None))
    document.draw_table([1 / len(cells)] * len(cells), [(cells, _SIGNATURE_HEIGHT)])
