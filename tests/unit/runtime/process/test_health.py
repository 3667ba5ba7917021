"""Which troubles make a process unready, and what is said about each."""

from shared.runtime.process.health import LOOP_REMEDY, REMEDIES, Health


def test_process_is_ready_once_started_and_without_blocking_trouble() -> None:
    health = Health()
    assert not health.is_ready
    health.started = True
    health.set_trouble("broker", "does not answer")
    assert (health.is_ready, health.is_degraded) == (True, True)
    health.set_trouble("database", "gone", blocking=True)
    assert not health.is_ready
    health.clear_trouble("database")
    health.clear_trouble("broker")
    assert (health.is_ready, health.is_degraded) == (True, False)


def test_reasons_name_blocking_ones_first_and_keep_the_instant_at_which_they_began() -> None:
    health = Health()
    health.set_trouble("retention", "failed")
    health.set_trouble("database", "gone", blocking=True)
    [database, loop] = health.reasons()
    assert (database.component, database.remedy) == ("database", REMEDIES["database"])
    assert (loop.component, loop.remedy) == ("retention", LOOP_REMEDY)
    health.set_trouble("retention", "failed in another way")
    [_, later] = health.reasons()
    assert (later.reason, later.since) == ("failed in another way", loop.since)
