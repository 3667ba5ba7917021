"""The summary of the demo: it fits into a terminal, explains its sums, and fails where a figure does not fit the others."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.commands.operations.demo import explained_sums, is_as_expected, month_table
from cli.demo.sender import DemoSender
from cli.stack.stack import Stack
from shared.runtime.clock import Clock


def test_the_summary_fits_and_explains_its_sums() -> None:
    summary = {f"figure_{number}": number for number in range(26)} | {"ok": True}
    assert len(Console(width=80, file=StringIO()).render_lines(month_table(summary), pad=False)) <= 14
    sums = explained_sums(
        {
            "received": 364,
            "accepted": 342,
            "refused": 10,
            "resent": 12,
            "accepted_by_transport": {"file": 2, "http": 339, "other": 1},
            "registered": 342,
            "registered_by_procedure": {"a": 200, "b": 142},
            "transmissions": 630,
            "messages_sent": 900,
            "messages_by_provider": {"carrier": 330, "gateway": 270, "other": 30},
            "dead_letters": 5,
            "broken_records": 5,
        }
    )
    assert sums[0] == "received 364 = accepted 342 + refused 10 + resent 12"
    assert sums[1] == "accepted 342 = CSV file 2 + HTTP 339 + other 1"
    assert sums[2] == "registered 342 = a 200 + b 142"
    assert sums[3] == ("transmissions 630, for 900 messages = text by SMPP (carrier) 330 + text by HTTP (gateway) 270 + other 30")


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
