"""A rebuild fills a second set of tables while the first serves, and puts it in its place."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest

from cli.commands.operations.desk import ProgressLines, rebuild_read_model
from cli.desk.event_sources import LedgerSource
from services.desk.application.projecting import TopicEvent
from services.desk.application.rebuilding import RebuildReadModel
from services.desk.config import DeskSettings
from shared.contracts import topics
from shared.contracts.events import encode_event
from shared.contracts.events.base import CaseEvent
from shared.runtime.errors import Misconfigured
from shared.runtime.kafka.topic_admin import apply_topics
from tests.integration.desk.conftest import DeskProbe, registration
from tests.integration.desk.test_projection import contents, story
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.topic_client import TopicClient
from tests.support.migrations import migration_differences


def numbered(events: Sequence[CaseEvent]) -> list[CaseEvent]:
    return [event.model_copy(update={"sequence": number}) for number, event in enumerate(events, 1)]


def as_records(events: Sequence[CaseEvent]) -> list[TopicEvent]:
    return [(topics.CASE_EVENTS.name, event, encode_event(event)) for event in events]


class GrowingSource:
    """Gives one batch a call; between two calls the live consumer goes on."""

    def __init__(self, *calls: Sequence[CaseEvent]) -> None:
        self._calls = [as_records(call) for call in calls]
        self.desk: DeskProbe | None = None
        self.seen: list[int] = []

    async def batches(self) -> AsyncIterator[Sequence[TopicEvent]]:
        batch = self._calls.pop(0) if self._calls else []
        if self.desk is not None:
            self.desk.sign_in("li")
            self.seen.append((await self.desk.browser.get("/")).status_code)
        if batch:
            yield batch


def rebuilder(desk: DeskProbe) -> RebuildReadModel:
    return RebuildReadModel(desk.service.database, desk.projection._fields)


async def test_a_rebuild_makes_the_same_tables_while_people_read(desk: DeskProbe, desk_settings: DeskSettings) -> None:
    events = numbered(story())
    await desk.apply(events)
    before = await contents(desk)
    async with desk.service.database.transaction() as tx:
        await tx.execute("DELETE FROM case_deadline")
        await tx.execute("UPDATE case_row SET title = 'damaged'")
    source = GrowingSource(events[:5], events[5:9], events[9:])
    source.desk = desk
    assert await rebuilder(desk).run([source]) == len(events)
    assert await contents(desk) == before
    assert source.seen == [200, 200, 200]
    assert await migration_differences(desk_settings.database_url.get_secret_value(), "desk") == []


async def test_the_consumer_goes_on_after_the_swap(desk: DeskProbe) -> None:
    events = numbered(story())
    await desk.apply(events[:4])
    await rebuilder(desk).run([GrowingSource(events[:6])])
    await desk.apply(events[4:])
    assert (await desk.rows("SELECT sequence FROM case_row"))[0]["sequence"] == len(events)
    assert len(await desk.rows("SELECT * FROM case_event")) == len(events)


async def test_a_batch_of_the_consumer_during_the_swap_is_not_lost(desk: DeskProbe) -> None:
    events = numbered(story())
    await desk.apply(events[:4])
    await asyncio.gather(rebuilder(desk).run([GrowingSource(events[:4])]), *(desk.apply([event]) for event in events[4:5]))
    await desk.apply(events[4:])
    assert (await desk.rows("SELECT sequence FROM case_row"))[0]["sequence"] == len(events)


async def test_a_full_buffer_changes_nothing(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.desk.storage.buffered_read_model.MAX_ROWS", 0)
    events = numbered(story())
    await desk.apply(events)
    before = await contents(desk)
    await rebuilder(desk).run([GrowingSource([]), *(GrowingSource([event]) for event in events)])
    assert await contents(desk) == before


class BrokenSource:
    async def batches(self) -> AsyncIterator[Sequence[TopicEvent]]:
        yield as_records(numbered(story())[:3])
        raise OSError("the broker is gone")


async def test_a_rebuild_that_fails_leaves_the_serving_tables(desk: DeskProbe) -> None:
    await desk.apply(numbered(story()))
    before = await contents(desk)
    with pytest.raises(OSError, match="broker"):
        await rebuilder(desk).run([BrokenSource()])
    assert await contents(desk) == before
    left = await desk.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'desk' AND tablename LIKE '%\\_next'")
    assert left == []


def ledger_file(path: Path, events: Sequence[CaseEvent]) -> Path:
    lines = [orjson.dumps({"type": event.type, "event": orjson.loads(encode_event(event))}) for event in events]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


async def test_what_the_topics_no_longer_keep_comes_from_the_ledger(
    desk: DeskProbe, desk_settings: DeskSettings, tmp_path: Path, topic_client: TopicClient
) -> None:
    await apply_topics(desk_settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.NOTIFICATION_EVENTS])
    events = numbered(story())
    for event in events[8:]:
        await topic_client.publish(case_event(topics.CASE_EVENTS, event, "jiesu/sla"))
    await topic_client.publish(case_event(topics.COMPLAINT_EVENTS, registration("c2"), "jiesu/intake"))
    ledger = ledger_file(tmp_path / "ledger.jsonl", events[:10])
    # The last ten events of the file overlap with the topic.
    count, skipped = await rebuild_read_model(desk_settings, ledger, ProgressLines())
    assert (count, skipped) == (10 + len(events) - 8 + 1, 0)
    rows = await desk.rows("SELECT case_id, sequence, title FROM case_row ORDER BY case_id")
    assert [(row["case_id"], row["sequence"]) for row in rows] == [("c1", len(events)), ("c2", 0)]
    assert len(await desk.rows("SELECT * FROM case_event")) == len(events)


@pytest.mark.parametrize("line", [b"x", b"{}", b'{"type": "nonsense", "event": {}}', b'{"type": "closed", "event": 3}'])
async def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: bytes) -> None:
    path = ledger_file(tmp_path / "ledger.jsonl", numbered(story())[:1])
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(Misconfigured, match=r"ledger\.jsonl, line 2"):
        _ = [batch async for batch in LedgerSource(path).batches()]
