"""Prints filled forms as DOCX with python-docx, to be completed in a word processor; needs the extra `forms`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO

from docx import Document
from docx.document import Document as DocxDocument
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt
from docx.table import Table, _Cell, _Row

from shared.procedures.forms.filled_form import FilledForm, FilledSection, FilledSignature
from shared.procedures.forms.page_layout import WORDS, field_rows, field_text, foot_lines, head_line, number_line, signature_label
from shared.procedures.model.procedure import LanguageCode

LATIN_FONT, CHINESE_FONT = "Arial", "宋体"
LABEL_SHARE = 0.17
_A4_WIDTH, _A4_HEIGHT, _MARGIN = Mm(210), Mm(297), Mm(15)
_TEXT, _SMALL, _TITLE = Pt(9.5), Pt(8), Pt(16)
_LINE = Mm(5.2)
_SIGNATURE_HEIGHT = Mm(17)
_HEAD_COLOUR, _SECTION_COLOUR = "F3F3F3", "E1E1E1"
# Equal forms give equal documents; the date of printing is no part of a form.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)


def render_form_docx(form: FilledForm) -> bytes:
    """The form as a DOCX document."""
    document = Document()
    _set_up(document, form)
    if form.organisation:
        _write(document, form.organisation, _TEXT, WD_ALIGN_PARAGRAPH.CENTER)
    _write(document, form.title, _TITLE, WD_ALIGN_PARAGRAPH.CENTER)
    _write(document, f"{head_line(form)}    {number_line(form)}", _SMALL)
    for section in form.sections:
        _add_section(document, form, section)
    for line in foot_lines(form):
        _write(document, line, _SMALL)
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_up(document: DocxDocument, form: FilledForm) -> None:
    page = document.sections[0]
    page.page_width, page.page_height = (_A4_HEIGHT, _A4_WIDTH) if form.is_landscape else (_A4_WIDTH, _A4_HEIGHT)
    page.orientation = WD_ORIENT.LANDSCAPE if form.is_landscape else WD_ORIENT.PORTRAIT
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = _MARGIN
    style = document.styles["Normal"]
    style.font.name, style.font.size = LATIN_FONT, _TEXT
    # Word chooses the font of Chinese characters by a property of their own, which the library does not set.
    style.element.rPr.rFonts.set(qn("w:eastAsia"), CHINESE_FONT)
    style.paragraph_format.space_after = Pt(0)
    properties = document.core_properties
    properties.title, properties.author = f"{form.title} {form.number}".strip(), form.organisation
    properties.created = properties.modified = _CREATED


def _add_section(document: DocxDocument, form: FilledForm, section: FilledSection) -> None:
    words = WORDS[form.language]
    rows = field_rows(section.fields)
    if section.title or rows:
        table = _new_table(document, (LABEL_SHARE, 0.5 - LABEL_SHARE) * 2)
        if section.title:
            _fill(_merge(_add_row(table).cells), section.title, _SECTION_COLOUR)
        for fields in rows:
            row = _add_row(table)
            row.height = Emu(_LINE * max(field.lines for field in fields))
            for position, field in enumerate(fields):
                label, *values = row.cells[2 * position : 4 if len(fields) == 1 else 2 * position + 2]
                _fill(label, field.label, _HEAD_COLOUR)
                _fill(_merge(values), field_text(field, words["photo"]))
    if section.table is not None:
        if section.table.title:
            _fill(_add_row(_new_table(document, (1,))).cells[0], section.table.title, _SECTION_COLOUR)
        table = _new_table(document, section.table.column_shares)
        for index, texts in enumerate((section.table.heads, *section.table.rows)):
            for cell, text in zip(_add_row(table).cells, texts, strict=True):
                _fill(cell, text, "" if index else _HEAD_COLOUR)
    if section.signatures:
        _add_signatures(document, section.signatures, form.language)


def _add_signatures(document: DocxDocument, signatures: Sequence[FilledSignature], language: LanguageCode) -> None:
    words = WORDS[language]
    row = _add_row(_new_table(document, [1 / len(signatures)] * len(signatures)))
    row.height = _SIGNATURE_HEIGHT
    for cell, signature in zip(row.cells, signatures, strict=True):
        name, at = (text or "_" * 16 for text in (signature.name, signature.at))
        _fill(cell, f"{signature_label(signature, language)}\n{words['name']}  {name}\n{words['at']}  {at}")


def _new_table(document: DocxDocument, shares: Sequence[float]) -> Table:
    page = document.sections[0]
    width = int(page.page_width or _A4_WIDTH) - 2 * _MARGIN
    # Word joins two tables that follow each other; a paragraph of one point between them keeps their columns apart.
    if document.tables:
        _write(document, "", Pt(1))
    table: Table = document.add_table(rows=0, cols=len(shares), style="Table Grid")
    table.autofit = False
    for column, share in zip(table.columns, shares, strict=True):
        column.width = Emu(int(width * share))
    return table


def _add_row(table: Table) -> _Row:
    row: _Row = table.add_row()  # type: ignore[no-untyped-call] # the library types its results, not this method
    return row


def _merge(cells: Sequence[_Cell]) -> _Cell:
    return cells[0] if len(cells) == 1 else cells[0].merge(cells[-1])


def _fill(cell: _Cell, text: str, colour: str = "") -> None:
    cell.text = text
    if colour:
        shading = OxmlElement("w:shd")
        shading.set(qn("w:val"), "clear")
        shading.set(qn("w:fill"), colour)
        cell._tc.get_or_add_tcPr().append(shading)  # noqa: SLF001 - the library has no setting for a cell's background


def _write(document: DocxDocument, text: str, size: Pt, align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.LEFT) -> None:
    paragraph = document.add_paragraph()
    paragraph.alignment = align
    paragraph.add_run(text).font.size = size
