"""Texts on Kafka: people who tell of one event in other words, before and after a restart, bring one alarm that says why."""

from functools import partial
from pathlib import Path
from typing import Any

from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from tests.integration.triage.conftest import registration
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import PROCEDURE, write_organisation, write_yaml
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

EVENT: dict[str, Any] = {
    "id": "event",
    "similar": {},
    "threshold": 3,
    "distinct": "complainant",
    "window": "60d",
    "does": {"as": "same_event"},
}
TEXTS = (
    "翠湖花园电梯停运三天，老人上不了楼",
    "翠湖花园的电梯坏了三天没有人修",
    "金桂花园电梯停运三天，老人上不了楼",
    "翠湖花园老人上不了楼，电梯停运三天了没人管",
)


async def test_an_event_in_other_words_is_alarmed_once_across_a_restart(
    make_settings: SettingsFactory, topic_client: TopicClient, tmp_path: Path
) -> None:
    organisation = write_organisation(tmp_path)
    write_yaml(tmp_path / "procedure.yaml", PROCEDURE | {"counts": [EVENT]})
    settings = make_settings(TriageSettings, organisation=organisation)
    await apply_topics(settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.TRIAGE_EVENTS])
    for numbers in ((0, 1), (2, 3)):
        async with build(settings).running():
            for number in numbers:
                event = registration(f"case-{number}", number, text=TEXTS[number])
                told = event.model_copy(update={"complainant_keys": [f"phone:{number}"]})
                await topic_client.publish(case_event(topics.COMPLAINT_EVENTS, told, "intake"))
                await wait_for(partial(is_routed, topic_client, told.case))
    events = await topic_client.read_events(topics.TRIAGE_EVENTS)
    assert [(case, event["members"]) for type_, case, event in events if type_ == "group_found"] == [
        ("case-3", ["case-0", "case-1", "case-3"])
    ]
    (why,) = [event["evidence"] for type_, case, event in events if type_ == "classified" and case == "case-3"]
    assert any(line.startswith("event: like case case-") and "both name 翠湖" in line for line in why)


async def is_routed(topic_client: TopicClient, case: str) -> bool:
    """Whether triage decided on the case."""
    return any(type_.startswith("route") and key == case for type_, key, _ in await topic_client.read_events(topics.TRIAGE_EVENTS))
