"""Dead letters are listed, replayed and discarded from the command line."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from typer.testing import CliRunner, Result

from cli.commands.operations import dead_letters as cli
from shared.runtime.dead_letters import store
from shared.runtime.kafka.record import FailedRecord, RawRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.integration.runtime.probe_service import (
    INPUTS,
    ProbeHandler,
    ProbeNote,
    ProbeSender,
    build_service,
    count_rows,
    note_body,
    note_headers,
    stored_notes,
)
from tests.support.waiting import wait_for

CASE = "case-1"
Jiesu = Callable[..., asyncio.Future[Result]]


class FailingTexts:
    """Raises for the texts in `failing`."""

    def __init__(self) -> None:
        self.failing = {"poison"}

    def __call__(self, text: str) -> None:
        if text in self.failing:
            raise ValueError(f"cannot apply {text}")


@pytest.fixture
def failing_texts() -> FailingTexts:
    return FailingTexts()


@pytest.fixture
async def parked(probe_settings: RuntimeSettings, sender: ProbeSender, failing_texts: FailingTexts) -> AsyncIterator[Service]:
    """A running service with a parked case: `before` is applied, `poison` a dead letter, `behind` and `last` wait."""
    async with build_service(probe_settings, ProbeHandler(failing_texts)).running() as service:
        for text in ("before", "poison", "behind", "last"):
            await sender.send_note(CASE, text)

        async def waiting() -> bool:
            return await count_rows(service, "waiting") == 2

        await wait_for(waiting)
        yield service


@pytest.fixture
async def jiesu(probe_settings: RuntimeSettings, monkeypatch: pytest.MonkeyPatch) -> Jiesu:
    """Run the command line on this database, in a thread since it starts an event loop of its own."""
    monkeypatch.setenv("DATABASE_URL", probe_settings.database_url.get_secret_value())
    monkeypatch.setattr(cli, "SERVICES", ("probe",))
    loop = asyncio.get_running_loop()
    return lambda *words: loop.run_in_executor(None, CliRunner().invoke, cli.app, list(words))


async def until_notes(service: Service, expected: list[str]) -> None:
    async def arrived() -> bool:
        return await stored_notes(service, CASE) == expected

    await wait_for(arrived, what=f"notes {expected}")


async def test_a_replay_applies_the_dead_letter_and_then_the_waiting_records(
    parked: Service, failing_texts: FailingTexts, sender: ProbeSender, jiesu: Jiesu
) -> None:
    failing_texts.failing.clear()
    result = await jiesu("replay", "probe:1")
    assert (result.exit_code, result.output) == (0, "probe:1 replayed\n")
    await until_notes(parked, ["before", "poison", "behind", "last"])
    assert await count_rows(parked, "parked") == await count_rows(parked, "waiting") == 0
    await sender.send_note(CASE, "free")
    await until_notes(parked, ["before", "poison", "behind", "last", "free"])
    assert "is settled" not in (await jiesu("replay", "probe:1")).output


async def test_a_replay_that_fails_again_prints_the_reason_and_changes_nothing(parked: Service, jiesu: Jiesu) -> None:
    result = await jiesu("replay", "probe:1")
    assert result.exit_code == 1
    assert "failed again: ValueError at test_operations.py" in result.output
    assert await stored_notes(parked, CASE) == ["before"]
    assert await count_rows(parked, "waiting") == 2


async def test_a_waiting_record_that_fails_becomes_the_next_dead_letter(parked: Service, failing_texts: FailingTexts, jiesu: Jiesu) -> None:
    failing_texts.failing = {"behind"}
    assert (await jiesu("replay", "probe:1")).exit_code == 0
    await until_notes(parked, ["before", "poison"])
    [letter] = json.loads((await jiesu("list", "--json")).output)
    assert (letter["key"], letter["waiting"], letter["status"]) == (CASE, 1, "open")
    failing_texts.failing.clear()
    assert (await jiesu("replay", letter["id"])).exit_code == 0
    await until_notes(parked, ["before", "poison", "behind", "last"])


async def test_a_letter_that_parks_a_case_is_listed_before_older_ones_that_hold_nothing(parked: Service, jiesu: Jiesu) -> None:
    raw = RawRecord(
        topic="case-actions", partition=0, offset=10_000, timestamp_ms=0, timestamp_type=0, key="b", raw_key=b"b", body=b"", headers=()
    )
    async with parked.database.transaction() as tx:
        [newer] = await store.insert_dead_letters(tx, [FailedRecord(raw, "the one that parks the case")])
        await tx.execute("UPDATE parked SET dead_letter_id = $1", newer)
    assert [letter["id"] for letter in json.loads((await jiesu("list", "--json")).output)] == [f"probe:{newer}", "probe:1"]
    output = (await jiesu("list", "--limit", "1")).output
    assert "the one that parks the case" in output
    assert "probe:1 " not in output
    assert "probe has more letters than these 1: raise --limit to see them" in output


async def test_a_discard_releases_the_case_without_the_record(parked: Service, jiesu: Jiesu) -> None:
    assert (await jiesu("discard", "probe:1")).output == "probe:1 discarded\n"
    await until_notes(parked, ["before", "behind", "last"])
    assert (await jiesu("list")).output == "no dead letters\n"
    assert [letter["status"] for letter in json.loads((await jiesu("list", "--settled", "--json")).output)] == ["discarded"]


async def test_repeats_of_dead_and_waiting_records_have_one_effect(
    probe_settings: RuntimeSettings, sender: ProbeSender, failing_texts: FailingTexts, jiesu: Jiesu
) -> None:
    poison_id, behind_id = "018f0000-0000-7000-8000-000000000001", "018f0000-0000-7000-8000-000000000002"
    async with build_service(probe_settings, ProbeHandler(failing_texts)).running() as service:
        for _ in range(2):
            await sender.send_note(CASE, "poison", event_id=poison_id)
            await sender.send_note(CASE, "behind", event_id=behind_id)

        async def waiting() -> bool:
            return await count_rows(service, "waiting") == 3

        await wait_for(waiting)
        failing_texts.failing.clear()
        assert (await jiesu("replay", "probe:1")).exit_code == 0
        await until_notes(service, ["poison", "behind"])


async def test_list_and_show_print_the_body_only_on_request(parked: Service, jiesu: Jiesu) -> None:
    listed = (await jiesu("list")).output
    assert "probe:1" in listed
    assert "case-actions" in listed
    shown = json.loads((await jiesu("show", "probe:1")).output)
    assert shown["headers"]["ce_type"] == "noted"
    assert (shown["waiting"], "body" in shown) == (2, False)
    assert json.loads((await jiesu("show", "probe:1", "--body")).output)["body"] == note_body("poison").decode()
    assert await count_rows(parked, "dead_letter") == 1


async def test_an_undecodable_record_can_be_replayed_by_a_newer_service(
    probe_settings: RuntimeSettings, sender: ProbeSender, jiesu: Jiesu
) -> None:
    async with build_service(probe_settings, ProbeHandler()).running() as service:
        await sender.send("case-actions", CASE.encode(), note_body("of tomorrow"), note_headers(event_type="noted_v2"))

        async def dead() -> bool:
            return await count_rows(service, "dead_letter") == 1

        await wait_for(dead)
    newer = Service("probe", probe_settings, migrations="tests.integration.runtime.migrations")
    newer.subscribe(INPUTS, "probe", ProbeHandler().handle, decode=lambda _, data: ProbeNote.model_validate_json(data))
    async with newer.running():
        assert (await jiesu("replay", "probe:1")).exit_code == 0
        await until_notes(newer, ["of tomorrow"])


@pytest.mark.parametrize("words", [("show", "probe:77"), ("replay", "probe:77"), ("show", "nonsense"), ("list", "--service", "nobody")])
async def test_unknown_letters_and_services_are_reported_in_one_line(parked: Service, jiesu: Jiesu, words: tuple[str, ...]) -> None:
    assert parked
    result = await jiesu(*words)
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1


async def test_a_request_waits_until_the_service_runs(
    probe_settings: RuntimeSettings, sender: ProbeSender, failing_texts: FailingTexts, jiesu: Jiesu
) -> None:
    async with build_service(probe_settings, ProbeHandler(failing_texts)).running() as service:
        await sender.send_note(CASE, "poison")

        async def dead() -> bool:
            return await count_rows(service, "dead_letter") == 1

        await wait_for(dead)
    result = await jiesu("replay", "probe:1", "--wait", "0.2")
    assert result.exit_code == 1
    assert "once it runs" in result.output
    failing_texts.failing.clear()
    async with build_service(probe_settings, ProbeHandler(failing_texts)).running() as service:
        await until_notes(service, ["poison"])
