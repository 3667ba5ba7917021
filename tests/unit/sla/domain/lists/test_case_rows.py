"""Rows of lists: which cases belong to a list, what their cells show, and their order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain.lists.case_rows import ListRows, ListScope, order_key, sort_key
from services.sla.domain.lists.list_filter import ListFilter
from services.sla.domain.lists.list_record import ListRecord, list_record
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.form_layout.lists import CaseListEntry
from shared.procedures.organisation import Organisation

PROCEDURE = load_procedure("device-service")
ORGANISATION = Organisation.model_validate({"id": "o", "departments": [{"id": "east", "zh": "东区", "en": "East"}]})
START = datetime.fromisoformat("2026-09-01T09:00:00+08:00")
SEPTEMBER = ListScope(START.replace(hour=0), START.replace(hour=0, month=10))


def texts(*hidden: str, language: str = "zh") -> FormTexts:
    return FormTexts(PROCEDURE, ORGANISATION, "zh" if language == "zh" else "en", hidden)


def events(days: int = 0, *later: tuple[str, dict[str, Any]], **complaint: Any) -> list[dict[str, Any]]:
    """A case that was received some days after START, and what happened to it, a day apart."""
    received = START + timedelta(days=days)
    first = {
        "event": "registered",
        "case": f"c{days}",
        "number": f"SK-2026-{days:05}",
        "complaint": {"received_at": received.isoformat(), "channel": "hotline", "complainant": {"kind": "customer"}, **complaint},
    }
    happened: list[tuple[str, dict[str, Any]]] = [("registered", first), *later]
    return [
        {"sequence": number, "at": (received + timedelta(days=number - 1)).isoformat(), **fields, "event": name}
        for number, (name, fields) in enumerate(happened, 1)
    ]


def record(*arguments: Any, **complaint: Any) -> ListRecord:
    return list_record(events(*arguments, **complaint), frozenset({"set_limit"}))


def rows(scope: ListScope | None = None, **entry: Any) -> ListRows:
    columns = entry.pop("columns", ["number"])
    return ListRows(PROCEDURE, CaseListEntry(id="x", columns=columns, **entry), scope or ListScope())


def cells(case: ListRecord, *columns: Any, reader: FormTexts | None = None) -> list[Any]:
    return rows(columns=list(columns)).cells(case, reader or texts())


CLASSIFIED = ("classified", {"class": "serious", "rule": "criticised", "facts": {"reputation": True}})
ROUTED = ("routed", {"department": "east"})
CLOSED = ("closed", {"role": "marketing"})
BREACHED = ("clock_breached", {"clock": "set_limit", "round": 1, "clause": "4.1e"})
STARTED = ("clock_started", {"clock": "set_limit", "round": 1, "due_at": "2026-09-02T09:00:00+08:00"})


def test_cells_show_names_local_times_numbers_and_events_of_any_type() -> None:
    case = record(0, CLASSIFIED, ROUTED, ("called_back", {"outcome": "satisfied"}), ("compensation_paid", {"amount": 300.5}))
    assert cells(case, "class", "department", "received_at", "called_back.outcome", "compensation_paid.amount", "facts.reputation") == [
        "严重",
        "东区",
        datetime.fromisoformat("2026-09-01T09:00:00"),
        "满意",
        300.5,
        "是",
    ]
    assert cells(case, "handled.at", "status", reader=texts(language="en")) == [None, "open"]


def test_columns_compute_expressions_and_take_the_first_path_that_has_a_value() -> None:
    case = record(0, CLASSIFIED, ("urged", {}), ("urged", {}), ("date_agreed", {"date": "2026-09-09T08:00:00+08:00"}))
    columns = [
        {"expression": "count.urged"},
        {"expression": "last.date_agreed.date"},
        {"expression": "last.handled.at"},
        {"expression": "case.class == 'serious' ? '是' : '否'"},
        {"expression": "size(case.links) > 0"},
        {"value": ["handled.text", "urged.at"], "take": "first"},
    ]
    urged_first = datetime.fromisoformat("2026-09-03T09:00:00")
    assert cells(case, *columns) == [2, datetime.fromisoformat("2026-09-09T08:00:00"), None, "是", "否", urged_first]


def test_columns_take_all_values_of_an_event_or_their_sum() -> None:
    paid = [("compensation_paid", {"amount": amount, "compensation": "cash"}) for amount in (0.1, 0.2, 300)]
    case = record(0, *paid, ("liability_recorded", {"units": ["east"]}), ("liability_recorded", {"units": ["west", "east"]}))
    columns: list[Any] = [
        {"value": "compensation_paid.amount", "take": "sum"},
        {"value": "liability_recorded.units", "take": "all"},
        {"value": "liability_recorded.units", "take": "latest"},
        {"value": "compensation_approved.amount", "take": "sum"},
        {"value": "cause_recorded.cause", "take": "all"},
    ]
    assert cells(case, *columns) == [300.3, "东区、west", "west、东区", None, None]


def test_what_the_reader_may_not_see_is_marked_and_neither_orders_nor_filters() -> None:
    case = record(0, complainant={"kind": "customer", "name": "王", "household": "3-1"}, text="漏水")
    reader = texts("complainant.name", "complainant.household", "text")
    hidden = [
        *("complainant.name", "text", "registered.text", {"expression": "complaint.text"}),
        {"expression": "complaint.complainant.household == '3-1'"},
    ]
    assert cells(case, *hidden, reader=reader) == ["（保密）"] * 5
    by_name = rows(order=["complainant.name"])
    assert by_name.sort_keys(case, reader) == [sort_key(None)] != by_name.sort_keys(case, texts())
    where = rows(ListScope(where=ListFilter(household="3-1")))
    assert where.includes(case, texts())
    assert not where.includes(case, reader)


@pytest.mark.parametrize(
    ("where", "matches"),
    [
        (ListFilter(class_="serious"), True),
        (ListFilter(class_="general"), False),
        (ListFilter(department="east", status="open", enterprise="长城公司"), True),
        (ListFilter(enterprise="长城"), False),
        (ListFilter(against="李四"), True),
        (ListFilter(against="王五"), False),
        (ListFilter(called_back=False, evaluated=False), True),
        (ListFilter(called_back=True), False),
        (ListFilter(overdue=True), True),
        (ListFilter(received_from=START, received_before=START + timedelta(seconds=1)), True),
        (ListFilter(received_before=START), False),
        (ListFilter(received_from=START + timedelta(seconds=1)), False),
    ],
)
def test_filter_of_the_reader(where: ListFilter, matches: bool) -> None:
    complainant = {"kind": "customer", "enterprise": "长城公司"}
    case = record(0, CLASSIFIED, ROUTED, STARTED, BREACHED, complainant=complainant, against=["张三", "李四"])
    assert rows(ListScope(where=where)).includes(case, texts()) is matches


@pytest.mark.parametrize(
    ("ends", "overdue"),
    [
        ((), True),
        ((("clock_stopped", {"clock": "set_limit", "round": 1}),), False),
        ((("clock_cancelled", {"clock": "set_limit", "round": 1}),), False),
        ((("clock_moved", {"clock": "set_limit", "round": 1, "due_at": "2026-12-01T09:00:00+08:00"}),), False),
        ((("clock_moved", {"clock": "set_limit", "round": 1, "due_at": "2026-09-02T10:00:00+08:00"}),), True),
        ((("clock_stopped", {"clock": "other", "round": 1}),), True),
    ],
)
def test_overdue_lasts_until_the_clock_ends_or_the_limit_is_extended(ends: Sequence[Any], overdue: bool) -> None:
    case = record(0, STARTED, BREACHED, *ends)
    assert case.overdue is overdue
    assert case.breached
    assert rows(when="case.overdue").includes(case, texts()) is overdue


def test_period_selects_received_open_ended_and_active_cases() -> None:
    august, september, later = record(-5), record(5, CLASSIFIED, CLOSED), record(40)
    cases = {"august": august, "september": september, "later": later, "ended in august": record(-9, CLOSED)}

    def selected(kind: str) -> list[str]:
        listed = rows(SEPTEMBER, cases=kind)
        return [name for name, case in cases.items() if listed.includes(case, texts())]

    assert selected("received") == ["september"]
    assert selected("open") == ["august", "later"]  # `later` has no events yet in a record that ends with the period
    assert selected("ended") == ["september"]
    assert selected("active") == ["august", "september", "later"]
    unborn = list_record(events(40), frozenset(), SEPTEMBER.until)
    assert not any(rows(SEPTEMBER, cases=kind).includes(unborn, texts()) for kind in ("received", "open", "ended", "active"))


def test_reopening_makes_counts_begin_again() -> None:
    case = record(0, ("called_back", {"outcome": "dissatisfied"}), CLOSED, ("reopened", {}))
    assert rows(when="count.called_back == 0 && case.open").includes(case, texts())
    assert cells(case, "called_back.outcome", "ended_at") == ["不满意", None]


def test_case_on_which_the_condition_cannot_be_evaluated_is_listed() -> None:
    assert rows(when="complaint.against[0] == 'x'").includes(record(0), texts())
    assert cells(record(0), {"expression": "complaint.against[0]"}) == ["（无法计算）"]


VALUES = st.none() | st.text(max_size=3) | st.integers(-5, 5) | st.booleans() | st.lists(st.text(max_size=2), max_size=2)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=12))
def test_any_values_can_be_ordered_and_missing_ones_come_last(values: list[tuple[Any, Any]]) -> None:
    keys = [[sort_key(one), sort_key(other)] for one, other in values]
    ordered = sorted(keys, key=order_key(["a", "-b"]))
    assert [one for one, _ in ordered] == sorted(one for one, _ in keys)
    for (one, other), (next_one, next_other) in pairwise(ordered):
        if one == next_one:
            assert (other[0] != next_other[0] and other < next_other) or (other[0] == next_other[0] and other >= next_other)
    assert [sort_key(value)[0] for value in (1, True, "x", ["x"], "", None, list[str]())] == [0, 0, 1, 1, 2, 2, 2]
