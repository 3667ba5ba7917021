"""An index of texts: bounded, the same after a restart and after a failed transaction."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.domain.similar.event_index import EventIndex, Match, Nearness, Remembered
from services.triage.domain.similar.fingerprints import Fingerprint, fingerprint

AT = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
NEARNESS = Nearness(0.14, 0.2, timedelta(days=10), 6)
TEXTS = (
    "翠湖花园电梯停运三天，老人上不了楼",
    "翠湖花园的电梯坏了三天没有人修",
    "金桂花园电梯停运三天，老人上不了楼",
    "电梯停运三天没人修，老人上不了楼",
    "人民路的路灯坏了，晚上看不见",
    "人民路晚上看不见，路灯都坏了",
    "食堂的饭菜有虫",
)
arrivals = st.lists(st.tuples(st.sampled_from(TEXTS), st.integers(0, 40)), max_size=25)


def prints(texts: list[tuple[str, int]]) -> list[Fingerprint]:
    return [fingerprint(f"case-{number}", AT + timedelta(days=day), "", text) for number, (text, day) in enumerate(texts)]


def add(index: EventIndex, text: Fingerprint) -> Remembered:
    match = index.nearest(text)
    remembered = Remembered(index.last_number + 1, match.event if match else text.case, text)
    index.add(remembered)
    return remembered


def matches(index: EventIndex) -> list[Match | None]:
    return [index.nearest(text) for day in (0, 20, 40) for text in prints([(text, day) for text in TEXTS])]


@given(arrivals)
def test_restored_index_finds_what_the_lost_one_found(texts: list[tuple[str, int]]) -> None:
    index = EventIndex(NEARNESS)
    stored = [add(index, text) for text in prints(texts)]
    restored = EventIndex(NEARNESS)
    for remembered in stored:
        if remembered.number >= index.oldest:
            restored.add(remembered)
    assert matches(restored) == matches(index)
    assert len(index) == len(restored) <= NEARNESS.max_texts


@given(arrivals, arrivals)
def test_undo_takes_back_what_was_added_and_forgotten(texts: list[tuple[str, int]], failed: list[tuple[str, int]]) -> None:
    index = EventIndex(NEARNESS)
    for text in prints(texts):
        add(index, text)
    index.confirm()
    before = matches(index), index.oldest, index.last_number, len(index)
    for text in prints(failed):
        add(index, text)
    index.undo()
    assert (matches(index), index.oldest, index.last_number, len(index)) == before
    assert index.added == []


@given(st.permutations(range(6)))
def test_clear_cases_form_the_same_events_in_any_order(order: list[int]) -> None:
    texts = [TEXTS[0], TEXTS[0], TEXTS[2], TEXTS[2], TEXTS[4], TEXTS[4]]
    index, events = EventIndex(NEARNESS), {}
    for number in order:
        events[number] = add(index, fingerprint(f"case-{number}", AT, "", texts[number])).event
    assert [events[0] == events[1], events[2] == events[3], events[4] == events[5]] == [True] * 3
    assert len(set(events.values())) == 3


def test_texts_outside_the_window_are_not_found() -> None:
    index = EventIndex(NEARNESS)
    text, late, far = prints([(TEXTS[0], 0), (TEXTS[0], 10), (TEXTS[0], 11)])
    add(index, text)
    assert index.nearest(late) is not None
    assert index.nearest(far) is None


def test_match_names_the_shared_ngrams_and_the_place() -> None:
    index = EventIndex(NEARNESS)
    first, second = prints([(TEXTS[0], 0), (TEXTS[1], 0)])
    add(index, first)
    match = index.nearest(second)
    assert match is not None
    assert (match.case, match.place) == ("case-0", "翠湖")
    assert match.grams
    weights = [weight for _, weight in match.grams]
    assert weights == sorted(weights, reverse=True)


def test_title_that_the_other_text_contains_adds_to_the_similarity() -> None:
    title, long_text = (
        "翠湖花园电梯停运",
        "我家住在翠湖花园，每天要带孩子上学。翠湖花园电梯停运以后，老人三天没有下楼，也没有人告诉我们什么时候会好。",
    )
    similarities = []
    for weight in (0.0, 0.2):
        index = EventIndex(Nearness(0.05, 0.05, timedelta(days=10), 6, title=weight))
        index.add(Remembered(1, "event", fingerprint("a", AT, title, "")))
        match = index.nearest(fingerprint("b", AT, "", long_text))
        assert match is not None
        similarities.append(match.similarity)
    assert similarities[1] == pytest.approx(similarities[0] + 0.2)
