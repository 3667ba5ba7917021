"""The status in words: what is well, what is not with the remedy, and what was missed before a start."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.status.collecting import logged_errors
from cli.status.model import ABSENT, ENDED, STALLED, LastError, ProcessStatus, StackStatus, WorkStatus
from cli.status.text import status_lines
from shared.contracts.operations.heartbeats import StartReport

START = datetime(2026, 11, 28, 1, 10, tzinfo=UTC)
IDLE = WorkStatus(
    lag_records={"case-events": 2, "mail-events": 1},
    outbox_messages=0,
    outbox_oldest_seconds=0,
    timers=4,
    timers_due=0,
    timers_behind_seconds=0,
    dead_letters=0,
    parked_cases=0,
)


def of(*processes: ProcessStatus, work: WorkStatus = IDLE, troubles: tuple[str, ...] = ()) -> StackStatus:
    return StackStatus(broker="b:1", processes=list(processes), work={"notify": work}, troubles=list(troubles))


def test_stack_that_is_well_has_no_problem() -> None:
    status = of(ProcessStatus(service="notify", process="vm:1", state="ready", silent_seconds=2.0))
    assert status.problems == []
    lines = list(status_lines(status))
    assert lines[-1] == "everything runs"
    assert lines[1].split() == ["notify", "ready", "vm:1", "2", "s", "0"]
    assert lines[4].split() == ["notify", "3", "0", "0", "s", "4", "0", "0", "s", "0", "0"]


def test_each_problem_names_its_remedy() -> None:
    status = of(
        ProcessStatus(service="intake", process="vm:1", state=STALLED, silent_seconds=31.2),
        ProcessStatus(service="triage", state=ABSENT),
        ProcessStatus(service="sla", process="vm:3", state=ENDED, pid=7, restarts=2, last_end="SIGKILL"),
        ProcessStatus(service="notify", process="vm:4", state="degraded", reasons=("broker", "outbox")),
        work=WorkStatus(dead_letters=3),
        troubles=("the broker b:1 cannot be asked (KafkaConnectionError): check that it runs",),
    )
    assert status.problems == [
        "the broker b:1 cannot be asked (KafkaConnectionError): check that it runs",
        "intake is stalled (no heartbeat for 31 s): restart the process (docs/runbooks/service-silent.md)",
        "triage is absent: start triage",
        "sla is ended (SIGKILL): `jiesu logs` shows how it ended; `jiesu up` starts it again",
        "notify is degraded (broker, outbox): GET /ready names the remedy of each reason",
        "notify has 3 dead letters: see `jiesu dead-letters list`",
    ]
    lines = list(status_lines(status))
    assert lines[-1] == f"! {status.problems[-1]}"
    # What could not be read is no zero.
    assert lines[7].split() == ["notify", "?", "?", "?", "?", "?", "?", "3", "?"]


def test_outage_before_a_start_is_told() -> None:
    found = StartReport(
        away_since=START - timedelta(minutes=5),
        missed_records=120,
        missed_timers=14,
        unsent_messages=2,
        oldest_timer_due=START - timedelta(minutes=4),
    )
    process = ProcessStatus(service="sla", process="vm:3", state="ready", started_at=START, start=found)
    missed = "sla was away for 300 s, missed 120 records, 14 timers, 2 messages"
    assert "sla was away for 300 s, missed 14 timers, 2 messages; is catching up" in list(status_lines(of(process)))
    caught_up = process.model_copy(update={"start": found.model_copy(update={"caught_up_at": START + timedelta(seconds=6)})})
    assert f"{missed}; caught up at 01:10:06 UTC, the oldest timer 246 s late" in list(status_lines(of(caught_up)))
    assert not [line for line in status_lines(of(process.model_copy(update={"start": StartReport()}))) if "away" in line]


def test_last_errors_of_the_logs_are_those_of_level_error(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "sla.log").write_text(
        '{"event": "started", "level": "info", "timestamp": "2026-11-28T01:00:00Z"}\n'
        '{"event": "batch failed", "reason": "LockTimeout", "level": "error", "timestamp": "2026-11-28T01:00:01Z"}\n'
    )
    errors = logged_errors(tmp_path)
    assert errors == [LastError(at="2026-11-28T01:00:01Z", service="sla", source="log", text="batch failed LockTimeout")]
    shown = of().model_copy(update={"last_errors": errors})
    assert "2026-11-28T01:00:01 sla      log: batch failed LockTimeout" in list(status_lines(shown))
