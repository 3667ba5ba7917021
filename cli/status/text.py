"""The status of a stack as lines for people."""

from collections.abc import Iterator

from cli.status.model import ProcessStatus, StackStatus, WorkStatus


def status_lines(status: StackStatus) -> Iterator[str]:
    """Processes, work, what was missed before a start, errors, problems."""
    yield f"{'service':<8} {'state':<13} {'process':<28} {'heard':>7} {'restarts':>8}"
    for process in status.processes:
        heard = "" if process.silent_seconds is None else f"{process.silent_seconds:.0f} s"
        name = process.process + (f" ({process.pid})" if process.pid else "")
        yield f"{process.service:<8} {process.state:<13} {name:<28} {heard:>7} {process.restarts:>8}  {' '.join(process.reasons)}".rstrip()
    yield ""
    yield f"{'service':<8} {'lag':>8} {'outbox':>7} {'oldest':>8} {'timers':>7} {'due':>5} {'behind':>8} {'dead':>5} {'parked':>6}"
    for service, work in status.work.items():
        yield _work_line(service, work)
    for process in status.processes:
        yield from _start_lines(process)
    if status.last_errors:
        yield ""
        yield "last errors"
        yield from (f"{error.at[:19]} {error.service:<8} {error.source}: {error.text}" for error in status.last_errors)
    yield ""
    yield from (f"! {problem}" for problem in status.problems)
    if not status.problems:
        yield "everything runs"


def _work_line(service: str, work: WorkStatus) -> str:
    lag = None if work.lag_records is None else sum(work.lag_records.values())
    outbox = f"{_number(work.outbox_messages):>7} {_seconds(work.outbox_oldest_seconds):>8}"
    timers = f"{_number(work.timers):>7} {_number(work.timers_due):>5} {_seconds(work.timers_behind_seconds):>8}"
    return f"{service:<8} {_number(lag):>8} {outbox} {timers} {_number(work.dead_letters):>5} {_number(work.parked_cases):>6}"


def _start_lines(process: ProcessStatus) -> Iterator[str]:
    start = process.start
    if start is None or start.away_since is None or process.started_at is None:
        return
    away = (process.started_at - start.away_since).total_seconds()
    missed = f"{start.missed_timers} timers, {start.unsent_messages} messages"
    # How many records there were is known when they have been read.
    end = "is catching up"
    if start.caught_up_at is not None:
        missed = f"{start.missed_records} records, {missed}"
        end = f"caught up at {start.caught_up_at:%H:%M:%S} UTC"
    late = f", the oldest timer {start.late_seconds:.0f} s late" if start.late_seconds else ""
    yield f"{process.service} was away for {away:.0f} s, missed {missed}; {end}{late}"


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _seconds(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f} s"
