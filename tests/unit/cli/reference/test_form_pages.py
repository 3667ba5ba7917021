"""The sample of each procedure fills its forms: every form that people sign has a signature, every register a case."""

import pytest

from cli.reference.form_pages import form_pages, sample_form
from shared.procedures.loading.loader import installed_packs, load_pack

FORMS = [(pack_id, form.id) for pack_id in installed_packs() for form in load_pack(pack_id).procedure.forms]


@pytest.mark.parametrize(("pack_id", "form_id"), FORMS)
def test_sample_fills_the_form(pack_id: str, form_id: str) -> None:
    procedure = load_pack(pack_id).procedure
    form = next(form for form in procedure.forms if form.id == form_id)
    filled = sample_form(procedure, form, "zh")
    texts = [field.text for section in filled.sections for field in section.fields]
    rows = [row for section in filled.sections if section.table for row in section.table.rows if any(row)]
    assert any(texts) or rows
    signatures = [signature for section in filled.sections for signature in section.signatures]
    assert form.per != "case" or any(signature.name for signature in signatures)


def test_each_form_has_a_page_in_both_languages_and_a_line_in_the_index() -> None:
    pages = form_pages()
    index = pages["docs/reference/forms/index.md"]
    for pack_id, form_id in FORMS:
        for language in ("zh", "en"):
            assert f"docs/reference/forms/{pack_id}/{form_id}.{language}.html" in pages
            assert f"{pack_id}/{form_id}.{language}.html" in index
