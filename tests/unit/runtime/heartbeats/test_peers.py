"""Who runs and who has fallen silent, from heartbeats with the broker's timestamps."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.operations.heartbeats import STOPPED, Heartbeat, StartReport
from shared.runtime.errors import Misconfigured
from shared.runtime.heartbeats.peers import Peers
from shared.runtime.process.settings import RuntimeSettings

START = datetime(2026, 11, 28, 1, tzinfo=UTC)


def hear(peers: Peers, second: float, service: str, process: str = "a:1", *, started: float = 0.0, state: str = "ready") -> None:
    at = START + timedelta(seconds=second)
    beat = Heartbeat(
        service=service,
        process=process,
        started_at=START + timedelta(seconds=started),
        sent_at=at,
        interval_seconds=5,
        state=state,
    )
    peers.hear(beat, int(at.timestamp() * 1000))


def test_stalled_process_falls_silent_while_others_are_heard() -> None:
    peers = Peers()
    hear(peers, 0, "sla")
    for second in (0, 5, 10, 15, 20):
        hear(peers, second, "notify")
        assert peers.silent(20) == set()
    hear(peers, 25, "notify")
    assert peers.silent(20) == {("sla", "a:1")}
    assert peers.ages_by_service() == {"sla": 25.0, "notify": 0.0}
    hear(peers, 26, "sla")
    assert peers.silent(20) == set()


def test_nobody_falls_silent_while_the_broker_is_away() -> None:
    peers = Peers()
    for service in ("sla", "notify"):
        hear(peers, 0, service)
    # An hour without any heartbeat, then the first one that the broker takes again, and a second later the other.
    hear(peers, 3600, "sla")
    hear(peers, 3601, "notify")
    assert peers.silent(20) == set()


def test_one_of_two_processes_is_found() -> None:
    peers = Peers()
    hear(peers, 0, "sla", "a:1", started=-9)
    hear(peers, 30, "sla", "b:1", started=-5)
    assert peers.silent(20) == {("sla", "a:1")}
    assert peers.ages_by_service() == {"sla": 30.0}


def test_stopped_and_replaced_processes_are_forgotten() -> None:
    peers = Peers()
    hear(peers, 0, "sla", "pod-1:8000")
    hear(peers, 0, "notify")
    hear(peers, 1, "notify", state=STOPPED)
    hear(peers, 40, "triage")
    assert peers.silent(20) == {("sla", "pod-1:8000")}
    hear(peers, 60, "sla", "pod-2:8000", started=50)
    assert [(peer.beat.service, peer.beat.process) for peer in peers] == [("sla", "pod-2:8000"), ("triage", "a:1")]


def test_lateness_is_counted_to_when_all_was_caught_up() -> None:
    report = StartReport(away_since=START, missed_timers=2, oldest_timer_due=START + timedelta(minutes=1))
    assert report.late_seconds == 0
    assert report.model_copy(update={"caught_up_at": START + timedelta(minutes=3)}).late_seconds == 120
    assert StartReport(caught_up_at=START).late_seconds == 0


def test_heartbeats_of_a_newer_release_can_be_read() -> None:
    beat = Heartbeat(service="sla", process="a:1", started_at=START, sent_at=START, interval_seconds=5, state="asleep", start=StartReport())
    document = beat.model_dump(mode="json") | {"mood": "good"}
    document["start"]["missed_calls"] = 3
    assert Heartbeat.model_validate(document) == beat


def test_silence_shorter_than_three_heartbeats_is_refused() -> None:
    RuntimeSettings(heartbeat_seconds=5, silence_seconds=15)
    with pytest.raises(Misconfigured, match="JIESU_SILENCE_SECONDS: must be at least 3 times JIESU_HEARTBEAT_SECONDS"):
        RuntimeSettings(heartbeat_seconds=5.1, silence_seconds=15)
