"""Ended processes are started again, later and later while they end at once."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from cli.stack.supervisor import LONGEST_WAIT_SECONDS, WELL_AFTER_SECONDS, Supervised, Supervisor
from deploy.embedded import EmbeddedServerError


@dataclass
class FakeProcess:
    pid: int
    how_it_ended: str | None = None


@dataclass
class Scene:
    """One supervised process and a clock that tests move."""

    now: float = 1000.0
    said: list[str] = field(default_factory=list)
    changes: int = 0
    fault: str = ""

    def __post_init__(self) -> None:
        self.supervised = Supervised("sla", FakeProcess(1), self.start_again)
        self.supervisor = Supervisor([self.supervised], self.said.append, self.change, lambda: self.now)

    def start_again(self) -> FakeProcess:
        if self.fault:
            raise EmbeddedServerError(self.fault)
        return FakeProcess(self.supervised.process.pid + 1)

    def change(self) -> None:
        self.changes += 1

    def runs(self) -> bool:
        return self.supervised.process.how_it_ended is None

    def end(self, how: str) -> None:
        self.supervised.process = FakeProcess(self.supervised.process.pid, how)
        self.supervisor.check()

    def seconds_until(self, condition: Callable[[], bool]) -> float:
        begun = self.now
        while not condition():
            self.now += 0.5
            self.supervisor.check()
        return self.now - begun


def test_running_process_is_left_alone() -> None:
    scene = Scene()
    scene.supervisor.check()
    assert (scene.said, scene.changes) == ([], 0)


def test_killed_process_comes_back_and_that_is_said() -> None:
    scene = Scene()
    scene.end("SIGKILL")
    assert scene.said == ["sla ended (SIGKILL); it is started again in 1 s"]
    assert scene.seconds_until(lambda: scene.supervised.restarts == 1) == 1.0
    assert scene.said[1:] == ["sla was started again (process 2)"]
    assert (scene.supervised.last_end, scene.supervised.process.pid, scene.changes) == ("SIGKILL", 2, 2)


def test_wait_doubles_up_to_a_minute_and_begins_anew_after_a_good_minute() -> None:
    scene = Scene()
    waits = []
    for _ in range(8):
        scene.end("status 1")
        waits.append(scene.seconds_until(scene.runs))
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS]
    scene.now += WELL_AFTER_SECONDS + 1
    scene.end("SIGSEGV")
    assert scene.seconds_until(scene.runs) == 1.0


def test_server_that_cannot_be_started_again_is_tried_again() -> None:
    scene = Scene(fault="no space")
    scene.end("SIGKILL")
    scene.seconds_until(lambda: len(scene.said) == 2)
    assert scene.said[1] == "sla cannot be started again (no space); it is started again in 2 s"
    scene.fault = ""
    assert scene.seconds_until(lambda: scene.supervised.restarts == 1) == pytest.approx(2.0)
