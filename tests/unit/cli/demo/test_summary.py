"""The summary of the demo: it fits into a terminal, explains its sums, and fails where a figure does not fit the others."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.commands.operations.demo import explained_sums, is_as_expected, month_table
from cli.demo.sender import DemoSender
from cli.stack.stack import Stack
from shared.runtime.clock import Clock

SUMMARY = {
    "received": 375,
    "accepted": 350,
    "refused": 11,
    "resent": 14,
    "accepted_by_transport": {"batch": 30, "file": 2, "form": 1, "http": 203, "kafka": 112, "mail": 2},
    "registered": 350,
    "registered_by_procedure": {"greentown-qd1001": 66, "hunan-property": 208, "telecom-urgent": 76},
    "transmissions": 2171,
    "messages_sent": 4531,
    "messages_by_provider": {"carrier": 330, "gateway": 272, "other": 1, "smtp": 1568},
    "dead_letters": 5,
    "broken_records": 5,
}


def test_the_summary_explains_its_sums_in_80_columns() -> None:
    assert explained_sums(SUMMARY) == [
        "received 375 = accepted 350 + refused 11 + resent 14",
        "accepted 350 = HTTP batch 30 + file 2 + form 1 + HTTP 203 + Kafka 112 + mail 2",
        "registered 350 = greentown-qd1001 66 + hunan-property 208 + telecom-urgent 76",
        "transmissions 2171 for 4531 messages = SMPP 330 + HTTP 272 + other 1 + mail 1568",
        "dead letters 5 = records broken on purpose 5",
    ]
    assert max(map(len, explained_sums(SUMMARY))) <= 80


def test_the_figures_are_in_two_columns_but_for_those_below_them() -> None:
    summary = {f"figure_{number}": number for number in range(26)} | {"ok": True, "lost": 0, "duplicated": 0, "broken_records": 5}
    assert len(Console(width=80, file=StringIO()).render_lines(month_table(summary), pad=False)) <= 14


CONSISTENT = {
    "lost": 0,
    "duplicated": 0,
    "wrongly_answered": [],
    "received": 9,
    "accepted": 6,
    "refused": 2,
    "resent": 1,
    "registered": 6,
    "dead_letters": 5,
    "broken_records": 5,
}


@pytest.mark.parametrize(
    "change",
    [{"lost": 1}, {"duplicated": 1}, {"wrongly_answered": ["x"]}, {"received": 10}, {"registered": 7}, {"dead_letters": 6}],
    ids=str,
)
def test_each_figure_that_does_not_fit_makes_the_month_fail(change: dict[str, object]) -> None:
    assert is_as_expected(CONSISTENT)
    assert not is_as_expected({**CONSISTENT, **change})


def test_a_case_that_is_sent_again_counts_for_its_first_transport() -> None:
    sender = DemoSender(Stack(Path(), {}), Clock(), "")
    sender.accept("http", "a", "b")
    sender.accept("kafka", "b", "c")
    assert (sender.accepted_by_transport, sender.accepted) == ({"http": 2, "kafka": 1}, {"a", "b", "c"})
