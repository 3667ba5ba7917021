"""A form of a period lists and counts the cases that were received in it."""

import pytest

from shared.procedures.forms.period_filling import FormPeriod, fill_period_form
from tests.unit.procedures.forms.sample_form import event, form_of, registered, sample_procedure, sample_texts

CASES = [
    [registered("S-2", "2026-09-30T23:59:59+08:00"), event(2, "classified", **{"class": "general"}), event(3, "closed")],
    [registered("S-1", "2026-08-31T16:00:00Z"), event(2, "classified", **{"class": "general"})],
    [registered("S-3", "2026-10-01T00:00:00+08:00")],
    [registered("S-4", "2026-09-02T00:00:00+08:00")],
]


def test_cases_of_the_month_are_listed_by_number_and_counted() -> None:
    filled = fill_period_form(form_of(sample_procedure(), "register"), FormPeriod(2026, 9), CASES, sample_texts())
    assert filled.title == "台帐（2026年9月）"
    assert filled.number == "sample/2026-09/02"
    assert [field.text for field in filled.sections[0].fields] == ["2026年9月", "3", "2", "1"]
    table = filled.sections[1].table
    assert table is not None
    assert [row[0] for row in table.rows] == ["S-1", "S-2", "S-4"]
    counts = filled.sections[2].table
    assert counts is not None
    assert counts.rows == (("一般", "2"), ("未定", "1"), ("合计", "3"))
    assert filled.sections[2].signatures[0].label == "制表"


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026", FormPeriod(2026)),
        ("2026-09", FormPeriod(2026, 9)),
        ("2026-13", None),
        ("2026-9", None),
        ("26", None),
        ("case-1", None),
        ("２０２６", None),
        ("", None),
    ],
)
def test_period_is_a_year_or_a_month(text: str, period: FormPeriod | None) -> None:
    assert FormPeriod.parse(text) == period
