"""Infrastructure errors are retried with backoff and never produce a dead letter."""

from collections.abc import Sequence
from time import monotonic

import pytest

from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.failures import is_infrastructure
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.probe_service import (
    INPUTS,
    ProbeHandler,
    ProbeSender,
    build_service,
    count_rows,
    decode_note,
    wait_for_notes,
)
from tests.support.waiting import wait_for


async def test_an_infrastructure_error_is_retried_with_backoff_and_makes_no_dead_letter(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    attempts: list[float] = []

    def raise_on(text: str) -> None:
        attempts.append(monotonic())
        if len(attempts) < 6:
            raise ConnectionResetError(text)

    async with build_service(probe_settings, ProbeHandler(raise_on)).running() as service:
        await sender.send_note("case-1", "retried")
        await wait_for_notes(service, ["retried"])
        assert len(attempts) == 6
        assert attempts[-1] - attempts[0] > 0.5
        assert await count_rows(service, "dead_letter") == 0


async def test_an_outage_longer_than_the_retries_degrades_the_process_and_skips_nothing(
    probe_settings: RuntimeSettings, sender: ProbeSender
) -> None:
    attempts = 0
    broken = True

    def raise_on(text: str) -> None:
        nonlocal attempts
        attempts += 1
        if broken:
            raise ConnectionResetError(text)

    short_retries = probe_settings.model_copy(update={"max_poll_interval_ms": 1000})
    async with build_service(short_retries, ProbeHandler(raise_on)).running() as service:
        await sender.send_note("case-1", "not skipped")

        async def is_degraded() -> bool:
            return "batches" in service.health.troubles() and service.health.is_ready and attempts >= 12

        await wait_for(is_degraded)
        started = monotonic()
        attempts_before = attempts
        await wait_for(lambda: attempts > attempts_before + 4)
        assert (attempts - attempts_before) / (monotonic() - started) < 30
        broken = False
        await wait_for_notes(service, ["not skipped"])
        assert service.health.troubles() == {}


async def test_a_killed_backend_loses_and_repeats_nothing(probe_settings: RuntimeSettings, sender: ProbeSender) -> None:
    killed = 0

    async def handle(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        nonlocal killed
        await ProbeHandler().handle(tx, batch)
        if killed < 4:
            killed += 1
            backend = await tx.fetchval("SELECT pg_backend_pid()")
            async with service.database.transaction() as other:
                await other.execute("SELECT pg_terminate_backend($1)", backend)

    service = Service("probe", probe_settings, migrations="tests.integration.runtime.migrations")
    service.subscribe(INPUTS, "probe", handle, decode=decode_note)
    async with service.running():
        for n in range(5):
            await sender.send_note("case-1", str(n))
        await wait_for_notes(service, ["0", "1", "2", "3", "4"])
        assert killed == 4
        assert await count_rows(service, "dead_letter") == 0


async def test_a_connection_lost_within_a_savepoint_is_an_infrastructure_error(probe_settings: RuntimeSettings) -> None:
    async with build_service(probe_settings, ProbeHandler()).running() as service:

        async def lose() -> None:
            async with service.database.transaction() as tx, tx.savepoint():
                backend = await tx.fetchval("SELECT pg_backend_pid()")
                async with service.database.transaction() as other:
                    await other.execute("SELECT pg_terminate_backend($1)", backend)
                await tx.fetchval("SELECT 1")

        with pytest.raises(Exception) as raised:  # noqa: PT011 - whichever it is, it has to count as an outage
            await lose()
        assert is_infrastructure(raised.value)
        await service.database.ping()
