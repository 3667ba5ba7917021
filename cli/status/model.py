"""The status of a stack, as `jiesu status --json` prints it."""

from datetime import datetime

from pydantic import BaseModel, computed_field

from shared.contracts.operations.heartbeats import StartReport

STALLED, ENDED, SILENT_HTTP, ABSENT = "stalled", "ended", "not_answering", "absent"
WELL = "ready"


class ProcessStatus(BaseModel):
    """A process of a service.

    `state` is that of its latest heartbeat, or `stalled` (no heartbeat for too long), `not_answering` (by HTTP), `ended` (the process is
    gone) or `absent` (nothing is known of one). `pid`, `restarts` and `last_end` are known beside `jiesu up` alone.
    """

    service: str
    process: str = ""
    state: str
    silent_seconds: float | None = None
    started_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    stalled_loops: tuple[str, ...] = ()
    start: StartReport | None = None
    pid: int | None = None
    restarts: int = 0
    last_end: str = ""


class WorkStatus(BaseModel):
    """Waiting work of a service; a figure that could not be read is None."""

    lag_records: dict[str, int] | None = None
    outbox_messages: int | None = None
    outbox_oldest_seconds: float | None = None
    timers: int | None = None
    timers_due: int | None = None
    timers_behind_seconds: float | None = None
    dead_letters: int | None = None
    parked_cases: int | None = None


class LastError(BaseModel):
    """Something that failed: a dead letter, or a line of a log."""

    at: str
    service: str
    source: str
    text: str


class StackStatus(BaseModel):
    """The whole; `problems` are sentences with the remedy, none while everything is well."""

    broker: str
    root: str = ""
    troubles: list[str] = []
    """Why a part of the status could not be read."""
    processes: list[ProcessStatus]
    work: dict[str, WorkStatus]
    last_errors: list[LastError] = []

    @computed_field  # type: ignore[prop-decorator]
    @property
    def problems(self) -> list[str]:
        """Problems of the stack, one line each."""
        unwell = [each for each in self.processes if each.state != WELL]
        failed = {service: work.dead_letters for service, work in self.work.items() if work.dead_letters}
        return [
            *self.troubles,
            *(f"{each.service} is {each.state}{_because(each)}: {_remedy(each)}" for each in unwell),
            *(f"{service} has {number} dead letters: see `jiesu dead-letters list`" for service, number in failed.items()),
        ]


def _because(process: ProcessStatus) -> str:
    if process.state == STALLED and process.silent_seconds is not None:
        return f" (no heartbeat for {process.silent_seconds:.0f} s)"
    causes = [*process.reasons, *process.stalled_loops, *([process.last_end] if process.state == ENDED and process.last_end else [])]
    return f" ({', '.join(causes)})" if causes else ""


def _remedy(process: ProcessStatus) -> str:
    if process.state in {ENDED, ABSENT}:
        return "`jiesu logs` shows how it ended; `jiesu up` starts it again" if process.pid else f"start {process.service}"
    if process.state in {STALLED, SILENT_HTTP}:
        return "restart the process (docs/runbooks/service-silent.md)"
    return "GET /ready names the remedy of each reason"
