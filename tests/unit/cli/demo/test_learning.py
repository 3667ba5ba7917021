"""What the demo shows of triage's reading: the model is sure of what it should be, and a step that did not happen is named."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from cli.demo import triage_steps
from cli.demo.demo_files import ESTATE_NOTES_FOLDER, ORGANISATION_FILE
from cli.demo.learning.reading_steps import EVENT_TEXTS, SURE_TEXTS, UNSURE_TEXTS, show_learning_steps
from cli.demo.learning.trained_model import SOURCE, train_on_history, write_organisation
from cli.demo.month_plan import END
from cli.demo.sender import DemoSender
from cli.stack.stack import Stack
from services.triage.domain.classifier.explanation import explain
from services.triage.domain.reading.reading_copy import read_text
from shared.procedures.loading.loader import load_organisation, load_procedure
from shared.runtime.clock import Clock

FIGURES = ("routed_by_model", "reviews_decided", "events_in_other_words")
SERVICES = ("intake", "triage", "sla", "notify")


def test_the_model_is_sure_of_the_messages_that_it_routes_and_of_no_other() -> None:
    model, review = train_on_history().model, load_procedure(ESTATE_NOTES_FOLDER).review
    assert review is not None
    best = {}
    for text in (*SURE_TEXTS, *UNSURE_TEXTS):
        (entry,) = explain(model, read_text(""), read_text(text))
        best[text] = entry.prediction.guesses[0]
    assert {text: best[text].value for text in SURE_TEXTS} == SURE_TEXTS
    assert all(best[text].probability > review.below for text in SURE_TEXTS)
    assert all(best[text].probability < review.below for text in UNSURE_TEXTS)


def test_the_organisation_of_the_demo_has_one_more_source_and_is_otherwise_the_same(tmp_path: Path) -> None:
    written, original = load_organisation(write_organisation(tmp_path)), load_organisation(ORGANISATION_FILE)
    assert [source.id for source in written.sources] == [*(source.id for source in original.sources), SOURCE]
    assert written.model_copy(update={"sources": original.sources}) == original


async def test_each_step_that_did_not_happen_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage_steps, "MAX_ATTEMPTS", 1)
    sender = _sender()
    missing = await _run(sender, events=lambda _: [], reviews=[])
    assert missing == [
        "the model did not route a message to property_engineering",
        "the model did not route a message to property_environment",
        *["a message of which the model is not sure is not in review"] * len(UNSURE_TEXTS),
        "one event in other words was not alarmed",
    ]
    assert [sender.counts[name] for name in FIGURES] == [0, 0, 0]


async def test_the_steps_that_happened_are_counted() -> None:
    departments = SURE_TEXTS | UNSURE_TEXTS
    texts = [*departments, *EVENT_TEXTS]
    members = [f"case-{texts.index(text)}" for text in EVENT_TEXTS]

    def events(number: int) -> list[dict[str, Any]]:
        department = departments.get(texts[number], "")
        routed = {"event": "routed", "department": department, "model": "m1", "review": ""}
        return [routed, {"event": "review_decided", "department": department}, {"event": "group_found", "members": members}]

    sender = _sender()
    reviews = [{"case": f"case-{texts.index(text)}"} for text in UNSURE_TEXTS]
    assert await _run(sender, events, reviews) == []
    assert [sender.counts[name] for name in FIGURES] == [len(SURE_TEXTS), len(UNSURE_TEXTS), 1]


def _sender() -> DemoSender:
    clock = Clock.parse(f"{END.isoformat()}@{datetime.now(UTC).isoformat()}x1", "demo")
    return DemoSender(Stack(Path(), {}, dict.fromkeys(SERVICES, 1)), clock, "")


async def _run(sender: DemoSender, events: Any, reviews: list[dict[str, Any]]) -> list[str]:
    """The steps against services that answer each message with these events and this queue."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/complaints":
            number = orjson.loads(request.content)["external_id"].removeprefix("note-")
            return httpx.Response(200, json={"case": f"case-{number}"})
        if path == "/v1/reviews":
            return httpx.Response(200, json={"reviews": reviews})
        return httpx.Response(200, json={"events": events(int(path.rpartition("-")[2]))})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as sender.http:
        return await show_learning_steps(sender)
