"""Forms as PDF and DOCX: the same texts as the form, Chinese that can be read back, long texts over several pages."""

import re
from io import BytesIO

import pytest
from docx import Document
from pypdfium2 import PdfDocument

from shared.procedures.forms import printing
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.filling import fill_form
from shared.procedures.forms.period_filling import FormPeriod, fill_period_form
from shared.procedures.forms.printing import FormError, is_available, print_case_form, render_form
from tests.unit.procedures.forms.sample_form import (
    event,
    form_of,
    registered,
    sample_events,
    sample_organisation,
    sample_procedure,
    sample_texts,
)

LONG_TEXT = "\n".join(f"第{line}行：" + "客厅北墙渗水，墙纸起鼓发霉；" * 8 + "https://example.org/" + "x" * 200 for line in range(40))


def filled(*more: dict[str, object], text: str = "电梯停运") -> FilledForm:
    events = [*sample_events(), *more]
    events[0]["complaint"]["text"] = text
    return print_case_form(sample_texts(), "sheet", events)[0]


def pdf_pages(form: FilledForm) -> list[str]:
    with PdfDocument(render_form(form, "pdf")) as document:
        return [page.get_textpage().get_text_range() for page in document]


def pdf_text(form: FilledForm) -> str:
    return re.sub(r"\s", "", "".join(pdf_pages(form)))


def docx_text(form: FilledForm) -> str:
    document = Document(BytesIO(render_form(form, "docx")))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return re.sub(r"\s", "", "".join([*cells, *(paragraph.text for paragraph in document.paragraphs)]))


def test_pdf_and_docx_have_the_texts_of_the_form() -> None:
    form = filled(event(6, "called_back", "desk", "li"))
    texts = [
        "处理单",
        "某物业",
        "S-2026-00001/01",
        "王**",
        "第二次措施",
        "■严重",
        "□一般",
        "回访人",
        "李敏",
        "2026年9月14日16:00",
        form.hash,
    ]
    for printed in (pdf_text(form), docx_text(form)):
        assert [text for text in texts if text not in printed] == []
        assert printed.count("________") >= 2


def test_long_text_continues_on_further_pages_without_loss() -> None:
    form = filled(text=LONG_TEXT)
    assert len(pdf_pages(form)) > 3
    printed = re.sub(r"第\d+页共\d+页", "", pdf_text(form))
    assert re.sub(r"\s", "", LONG_TEXT) in printed


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    text = "（一）客厅，卧室；（二）厨房：（三）阳台。“渗水”、「霉变」！" * 30
    lines = pdf_pages(filled(text=text))[0].splitlines()
    broken = [line for line in lines if len(line) > 30]
    assert len(broken) > 10
    assert [line for line in broken if line[0] in "，。、；：）”」！" or line[-1] in "（“「"] == []


def test_equal_forms_give_equal_files() -> None:
    assert render_form(filled(), "pdf") == render_form(filled(), "pdf")


def test_register_is_printed_on_landscape_pages_with_repeated_heads() -> None:
    columns = ["number", "received_at", "channel", "complainant.name", "text", "class", "status"]
    register = {"id": "wide", "zh": "台帐", "en": "Register", "per": "year", "sections": [{"table": {"cases": True, "columns": columns}}]}
    procedure = sample_procedure(register)
    cases = [[registered(f"S-{number:03}")] for number in range(60)]
    texts = FormTexts(procedure, sample_organisation())
    form = fill_period_form(form_of(procedure, "wide"), FormPeriod(2026), cases, texts)
    with PdfDocument(render_form(form, "pdf")) as document:
        assert all(page.get_width() > page.get_height() for page in document)
    pages = pdf_pages(form)
    assert len(pages) > 1
    assert [page for page in pages if "收到时间" not in page] == []
    section = Document(BytesIO(render_form(form, "docx"))).sections[0]
    assert int(section.page_width or 0) > int(section.page_height or 0)


def test_numbers_in_a_register_are_not_broken() -> None:
    procedure = sample_procedure()
    form = fill_period_form(
        form_of(procedure, "register"), FormPeriod(2026, 9), [[registered("TX-2026-00001", text=LONG_TEXT)]], sample_texts()
    )
    assert any("TX-2026-00001" in line for line in pdf_pages(form)[0].splitlines())


def test_english_form_is_printed_in_english() -> None:
    procedure = sample_procedure()
    assert "notsignedyet" in pdf_text(fill_form(form_of(procedure), sample_events(), sample_texts("en")))


@pytest.mark.parametrize("form_format", ["pdf", "docx"])
def test_format_without_its_packages_is_refused_with_the_remedy(form_format: printing.FormFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "find_spec", lambda _: None)
    assert not is_available(form_format)
    assert is_available("html")
    with pytest.raises(FormError, match=rf"^{form_format}: needs packages .* pip install 'jiesu\[forms\]'$"):
        render_form(filled(), form_format)


@pytest.mark.parametrize(
    ("form_id", "version", "message"),
    [
        ("card", None, "form: must be one of sheet"),
        ("register", None, "form: must be one of sheet"),
        ("sheet", 2, "version: must be from 1 to 1"),
        ("sheet", 0, "version: must be from 1 to 1"),
    ],
)
def test_form_or_version_that_does_not_exist_is_refused(form_id: str, version: int | None, message: str) -> None:
    with pytest.raises(FormError, match=f"^{message}$"):
        print_case_form(sample_texts(), form_id, sample_events(), version)


def test_version_of_an_unsigned_form_is_refused() -> None:
    with pytest.raises(FormError, match="version: nobody has signed the form; leave it out"):
        print_case_form(sample_texts(), "sheet", [registered()], 1)


def test_form_that_is_not_opened_yet_is_refused() -> None:
    with pytest.raises(FormError, match="form: sheet opens with registered, which has not happened"):
        print_case_form(sample_texts(), "sheet", [event(1, "amended")])


def test_old_version_is_printed_as_it_was_signed() -> None:
    form, versions = print_case_form(sample_texts(), "sheet", sample_events(), 1)
    assert (form.hash, form.sections[1].signatures[0].name) == (versions[0].hash, "王经理")


def test_hash_covers_what_the_reader_may_not_see() -> None:
    events = sample_events()[:4]
    shown = [{name: value for name, value in one.items() if name != "text"} for one in events]
    assert print_case_form(sample_texts(), "sheet", events, shown=shown)[0].hash == print_case_form(sample_texts(), "sheet", events)[0].hash
