"""The live view of the demo: in order of time, with case numbers, within 80 columns and 24 lines."""

from io import StringIO

from rich.console import Console

from cli.demo.live_view import MAX_LINES, LiveView
from shared.runtime.clock import Clock


def view() -> LiveView:
    return LiveView(Clock(), "", "", plain=False, console=Console(file=StringIO(), width=80, height=24))


def registered(number: int, at: str) -> dict[str, str]:
    return {"case": f"c{number}", "number": f"TS-2026-{number:05}", "at": at}


def test_the_first_registration_is_shown_with_its_number() -> None:
    live = view()
    live.count_event("registered", registered(7, "2026-09-14T01:06:00Z"))
    assert [line.text for line in live.lines] == ["09-14 09:06 TS-2026-00007 登记 registered "]


def test_highlighted_events_are_in_order_of_time_and_replace_registrations() -> None:
    live = view()
    for number in range(MAX_LINES):
        live.count_event("registered", registered(number, f"2026-09-14T{number:02}:00:00Z"))
    live.count_event("closed", {"case": "c1", "at": "2026-09-16T00:00:00Z"})
    for day in (18, 16, 17):
        live.count_event("clock_breached", {"case": "c1", "clause": "3.6", "at": f"2026-09-{day}T00:00:00Z"})
    assert len(live.lines) == MAX_LINES
    assert [line.text[:25] for line in live.lines[-3:]] == [f"09-{day} 08:00 TS-2026-00001"[:25] for day in (16, 17, 18)]
    for minute in range(MAX_LINES):
        live.count_event("reopened", {"case": "c1", "at": f"2026-09-20T00:{minute:02}:00Z"})
    assert [line.at.minute for line in live.lines] == list(range(MAX_LINES))


def test_the_view_fits_into_80_columns_and_24_lines() -> None:
    live = view()
    for minute in range(2 * MAX_LINES):
        live.count_event("escalated", {"case": "c1", "at": f"2026-09-20T00:{minute:02}:00Z", "clause": "3.6", "reason": "很长的理由" * 30})
    lines = live.console.render_lines(live._view(), pad=False)
    assert len(lines) <= 24
    assert "09-20" in "".join(segment.text for line in lines for segment in line)
    assert max(sum(segment.cell_length for segment in line) for line in lines) <= 80
