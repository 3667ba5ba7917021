"""The fields of a case that several events set."""

import pytest

from shared.procedures.forms.case_record import case_record


@pytest.mark.parametrize(("event", "name"), [("date_agreed", "date"), ("progress_reported", "next_date")])
def test_agreed_date_is_a_field_and_the_fact_of_that_name(event: str, name: str) -> None:
    record = case_record([{"event": event, "sequence": 1, name: "2026-09-29T12:00:00+08:00"}])
    assert record.value("agreed_date") == record.value("facts.agreed_date") == "2026-09-29T12:00:00+08:00"
