"""`procedure check` refuses a layout with a field, column or signature that nothing can fill."""

from typing import Any

import pytest

from shared.procedures.checks.form_layouts import check_form_layouts
from shared.procedures.loading.loader import installed_packs, load_pack
from tests.unit.procedures.forms.sample_form import FORM, REGISTER, sample_procedure


def findings(form: dict[str, Any]) -> list[str]:
    return [f"{finding.severity}: {finding.message}" for finding in check_form_layouts(sample_procedure(form))]


def with_section(**section: Any) -> dict[str, Any]:
    return {**FORM, "sections": [section]}


def of_month(**section: Any) -> dict[str, Any]:
    return {**REGISTER, "sections": [section]}


def test_sample_forms_have_no_findings() -> None:
    assert findings(FORM) + findings(REGISTER) == []


def test_form_without_sections_is_a_warning() -> None:
    assert findings({**FORM, "sections": []}) == ["warning: the form sheet has no sections, so it prints nothing; add its fields"]


FAULTS = [
    (with_section(fields=["txt"]), "there is no field of a case txt; did you mean text?"),
    (with_section(fields=["complainant.email"]), "there is no field of the complainant that a form may print email"),
    (with_section(fields=["facts.urgnt"]), "there is no fact urgnt; did you mean urgent?"),
    (with_section(fields=["parameters.limit"]), "there is no parameter limit"),
    (with_section(fields=["measures_sent.text"]), "there is no event measures_sent; did you mean"),
    (with_section(fields=["measures_submitted.txt"]), "there is no field of measures_submitted txt; did you mean text?"),
    (with_section(fields=["number", {"value": ["text", "txt"]}]), "there is no field of a case txt"),
    (with_section(fields=["subject"]), "the procedure declares no subject, so the field is never filled"),
    (with_section(fields=[{"value": "text", "show": "boxes"}]), "text has no closed list of values to print boxes for"),
    (with_section(fields=[{"value": "facts.limit", "show": "boxes"}]), "facts.limit has no closed list"),
    (with_section(after=["measures_sent"]), "there is no event measures_sent"),
    (with_section(signatures=[{}]), "no event signs here"),
    (with_section(signatures=[{"events": ["sined"]}]), "there is no event sined; did you mean signed?"),
    (with_section(signatures=[{"events": ["clock_breached"]}]), "clock_breached is no act of a person, so it cannot sign"),
    (with_section(table={"columns": ["at"]}), "the table has no rows"),
    (with_section(table={"cases": True, "columns": ["number"]}), "a form per case has a table over events"),
    (with_section(table={"events": ["handled"]}), "the table has no columns"),
    (with_section(table={"events": ["handled"], "columns": ["outcome"]}), "there is no field of these events outcome"),
    (of_month(fields=["number"]), "there is no field of a period number"),
    (of_month(table={"events": ["handled"], "columns": ["at"]}), "a form per month has a table over cases or count_by"),
    (of_month(table={"count_by": "klass"}), "there is no field of a case klass; did you mean class?"),
    (of_month(table={"cases": True, "columns": ["handled.when"]}), "there is no field of handled when"),
]


@pytest.mark.parametrize(("form", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_layout_that_cannot_be_filled_is_an_error(form: dict[str, Any], message: str) -> None:
    [finding] = findings(form)
    assert finding.startswith(f"error: {message}")


@pytest.mark.parametrize("pack", installed_packs())
def test_installed_forms_can_be_filled(pack: str) -> None:
    procedure = load_pack(pack).procedure
    assert list(check_form_layouts(procedure)) == []
    assert [form.id for form in procedure.forms if not (form.zh and form.en)] == []
