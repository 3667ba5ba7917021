from shared.runtime.settings import RuntimeSettings
from tests.integration.runtime.conftest import read_all
from tests.integration.runtime.probe import Probe, Sender, build, count, notes
from tests.support.waiting import wait_for


async def test_a_record_has_one_effect_and_one_message(applied: RuntimeSettings, sender: Sender) -> None:
    await sender.note("case-1", "one")
    await sender.note("case-1", "two")
    async with build(applied, Probe()).running() as service:

        async def arrived() -> bool:
            return await notes(service) == ["one", "two"] and await count(service, "outbox") == 0

        await wait_for(arrived)
    told = await read_all(applied, "case-events")
    assert [r.value for r in told] == [b'{"text":"one"}', b'{"text":"two"}']
