"""Facts stand in the event with the words as they came; what a person entered is not read."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.assess import assess
from services.triage.domain.compiled_rules import compile_rules
from services.triage.domain.facts.complaint_facts import explained_facts
from services.triage.domain.facts.fact_reader import read_facts
from services.triage.domain.reading.reading_copy import read_text
from services.triage.domain.rule_scope import TriageContext
from shared.contracts.complaint import Complaint
from shared.contracts.events.found_fact import FoundFact
from shared.procedures.expressions import sense
from shared.procedures.loading.loader import load_pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation

CONTEXT = TriageContext(datetime(2026, 9, 24, 9, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
TEXT = "我们单元五户联名，楼道灯一直不亮"


def found(**fields: Any) -> tuple[dict[str, FoundFact], dict[str, Any]]:
    rules = compile_rules(bind_parameters(load_pack("property-three-class").procedure, allow_unset=True), Organisation(id="o"))
    values = {
        "case": "c",
        "number": "1",
        "source": "s",
        "received_at": "2026-09-24T16:40:00+08:00",
        "registered_at": "2026-09-24T16:40:00+08:00",
    }
    decision = assess(Complaint.model_validate(values | {"channel": "hotline", "text": TEXT} | fields), rules, CONTEXT)
    event = decision.classified_event(None, CONTEXT)
    return {fact.name: fact for fact in event.found}, event.facts


def test_a_pack_takes_the_value_of_a_fact() -> None:
    facts, derived = found()
    assert facts["persons"].value == derived["persons"] == 5
    assert facts["persons"].words == TEXT[facts["persons"].start : facts["persons"].end]


def test_a_person_s_entry_outranks() -> None:
    facts, derived = found(facts={"persons": 2}, object="路灯")
    assert not {"persons", "object"} & facts.keys()
    assert "persons" not in derived


def test_facts_of_the_title_are_read_where_the_text_shows_none() -> None:
    facts, _ = found(title="电梯停运", text="请尽快来修")
    assert (facts["facility_failure"].field, facts["facility_failure"].words) == ("title", "电梯停运")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p>電梯</p><p>停運</p>", "電梯</p><p>停運"),
        ("昨晚3号楼电\r\n梯停运", "电\r\n梯停运"),
        ("电\u200b梯停运", "电\u200b梯停运"),
        ("電梯停運，三十多戶都走不了", "電梯停運"),
        ("住二十三号楼的人说：电梯停运", "电梯停运"),
    ],
)
def test_the_words_are_those_of_the_text_as_it_came(text: str, words: str) -> None:
    fact = next(fact for fact in explained_facts(text) if fact.name == "facility_failure")
    assert fact.words == words
    assert (fact.start, fact.end) == (text.index(words), text.index(words) + len(words))


@given(st.text(alphabet="电梯停运電運3三十户，。<p> \r\n\u200b不没我们联名没有律师函已寄", max_size=60))
def test_a_span_is_within_the_text(text: str) -> None:
    for fact in explained_facts(text):
        if fact.start is not None and fact.end is not None:
            assert 0 <= fact.start < fact.end <= len(text)
            assert fact.words == text[fact.start : fact.end][:200]


HOSTILE = [
    "律师函",
    "电梯",
    "3号楼",
    "没有",
    "十",
    "赔偿1元",
    "我们5户",
    "a",
    "1",
    "<",
    "投诉3次没人理,",
    "摔" * 7 + "伤",
    "《",
    "我是",
    "一二三四五六七八九十百千万",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_a_hostile_text_of_100_kb_is_read_in_bounded_steps(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2 takes linear time by construction; what is not RE2 runs on at most 100 hits and 120 characters around each."""
    judged: list[int] = []
    judge = sense.SensePattern.judge

    def counted(pattern: sense.SensePattern, text: str, spans: Any, index: int) -> sense.Hit | None:
        judged.append(len(spans))
        return judge(pattern, text, spans, index)

    monkeypatch.setattr(sense.SensePattern, "judge", counted)
    text = read_text(part * (100_000 // len(part)))
    assert len(read_facts(text)) <= 12
    assert len(judged) <= 12 * 100
    assert max(judged, default=0) <= 100
