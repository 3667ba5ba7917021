"""Binds the closed records of a year in one PDF: cover with the year's seal, index with pages, the forms, and the keeper's receipt."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.pdf_form import SMALL_SIZE, TITLE_SIZE, Cell, FormDocument, Row, draw_form
from shared.procedures.model.procedure import LanguageCode

_INDEX_SHARES = (0.08, 0.24, 0.24, 0.32, 0.12)
_SEAL_HEIGHT = 55


@dataclass(frozen=True, slots=True)
class VolumeCase:
    """A closed case of the volume, with its forms as they were when the year was sealed."""

    number: str
    closed_at: str
    forms: tuple[FilledForm, ...]


@dataclass(frozen=True, slots=True)
class BoundVolume:
    """The records of a year; `root` is the Merkle root of the year's seal, to which every record of the volume leads."""

    year: int
    organisation: str
    regulation: str
    keeper: str
    root: str
    sealed_at: str
    cases: tuple[VolumeCase, ...]
    language: LanguageCode = "zh"


def render_volume(volume: BoundVolume) -> bytes:
    """The volume as a PDF document."""
    # The index has as many lines with page numbers as without, so the pages of a first run hold in the second.
    draft, pages = _draw(volume, [0] * len(volume.cases))
    draft.close_font()
    document, _ = _draw(volume, pages)
    return document.print()


def _draw(volume: BoundVolume, pages: Sequence[int]) -> tuple[FormDocument, list[int]]:
    title = _text(volume, f"{volume.year}年度已关闭投诉记录", f"Closed complaint records of {volume.year}")
    document = FormDocument(title, is_chinese=volume.language == "zh")
    _draw_cover(document, volume, title)
    _draw_index(document, volume, pages)
    first_pages = []
    for case in volume.cases:
        first_pages.append(document.page_no() + 1)
        for form in case.forms:
            draw_form(document, form)
    _draw_receipt(document, volume)
    return document, first_pages


def _draw_cover(document: FormDocument, volume: BoundVolume, title: str) -> None:
    document.add_page()
    document.set_y(70)
    document.write_line(volume.organisation, align="C")
    document.ln(8)
    document.write_line(title, TITLE_SIZE + 6, "C")
    document.ln(4)
    document.write_line(volume.regulation, align="C")
    document.set_y(190)
    rows = [
        (_text(volume, "卷内案件", "Cases in this volume"), str(len(volume.cases))),
        (_text(volume, "年度封存", "Year sealed"), volume.sealed_at),
        (_text(volume, "封存校验根（SHA-256）", "Root of the seal (SHA-256)"), volume.root),
        (_text(volume, "保管人", "Keeper"), volume.keeper),
    ]
    _table(document, (0.3, 0.7), rows)


def _draw_index(document: FormDocument, volume: BoundVolume, pages: Sequence[int]) -> None:
    document.add_page()
    document.write_line(_text(volume, "卷内目录", "Index"), TITLE_SIZE, "C")
    document.ln(2)
    heads = (
        _text(volume, "序号", "No."),
        _text(volume, "投诉编号", "Complaint"),
        _text(volume, "结案时间", "Closed at"),
        _text(volume, "表单", "Forms"),
        _text(volume, "页次", "Page"),
    )
    rows = [heads]
    for position, (case, page) in enumerate(zip(volume.cases, pages, strict=True), 1):
        titles = _text(volume, "、", ", ").join(form.title for form in case.forms)
        rows.append((str(position), case.number, case.closed_at, titles, str(page)))
    _table(document, _INDEX_SHARES, rows, heading_rows=1)


def _draw_receipt(document: FormDocument, volume: BoundVolume) -> None:
    document.add_page()
    document.write_line(_text(volume, "装订封存及保管签收", "Binding, seal and receipt of the keeper"), TITLE_SIZE, "C")
    document.ln(4)
    pages = document.page_no()
    document.write_line(
        _text(
            volume,
            f"本卷共{pages}页，收录{volume.year}年度已关闭投诉记录{len(volume.cases)}件，无涂改、无缺页。",
            f"This volume has {pages} pages and {len(volume.cases)} records closed in {volume.year}; no alteration, no missing page.",
        )
    )
    document.write_line(f"{_text(volume, '封存校验根', 'Root of the seal')} {volume.root}", SMALL_SIZE)
    document.ln(4)
    line = "_" * 20
    seal: Row = ([(_text(volume, "封存章：", "Seal:"), 2, None)], _SEAL_HEIGHT)
    bound = _text(volume, f"装订人\n签名 {line}\n时间 {line}", f"Bound by\nSignature {line}\nTime {line}")
    kept = _text(volume, f"保管人（{volume.keeper}）\n签名 {line}\n时间 {line}", f"Keeper ({volume.keeper})\nSignature {line}\nTime {line}")
    document.draw_table((0.5, 0.5), [seal, ([(bound, 1, None), (kept, 1, None)], 20)])


def _table(document: FormDocument, shares: Sequence[float], rows: Sequence[Sequence[str]], heading_rows: int = 0) -> None:
    cells: list[Row] = []
    for row in rows:
        texts: list[Cell] = [(text, 1, None) for text in row]
        cells.append((texts, 7))
    document.draw_table(shares, cells, heading_rows)


def _text(volume: BoundVolume, zh: str, en: str) -> str:
    return zh if volume.language == "zh" else en
