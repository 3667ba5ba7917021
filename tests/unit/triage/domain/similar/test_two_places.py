"""The same kind of matter at two places is two events; at one place, told by two people, it is one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.triage.domain.reading.reading_copy import read_text
from services.triage.domain.similar.event_index import EventIndex, Match, Nearness, Remembered
from services.triage.domain.similar.fingerprints import Fingerprint, fingerprint
from services.triage.domain.similar.places import common_place, find_places
from shared.procedures.model.triage.entries import SimilarTexts

AT = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
DEFAULTS = SimilarTexts()
LOOSE = Nearness(DEFAULTS.threshold, DEFAULTS.threshold, timedelta(days=60), 1_000)
"""As for alarms at four messages of two people: the same similarity where a text names no place."""
NEARNESS = Nearness(DEFAULTS.threshold, DEFAULTS.elsewhere, timedelta(days=60), 1_000)
TITLED = Nearness(0.25, 0.25, timedelta(days=60), 1_000, title=0.2)
LINES = Path(__file__).with_name("two_places.txt").read_text(encoding="utf-8").splitlines()
MATTERS = [[part.strip() for part in line.split("|")] for line in LINES if not line.startswith("#")]
PAIRS = [(first, second, *places.split("/")) for first, second, *of_matter in MATTERS for places in of_matter]


def nearest(first: str, second: str, nearness: Nearness = NEARNESS) -> Match | None:
    """What the second text matches among the first and one text on each other matter."""
    index = EventIndex(nearness)

    def reading(case: str, text: str) -> Fingerprint:
        return fingerprint(case, AT, read_text(text) if nearness.title else "", "" if nearness.title else read_text(text))

    texts = [first, *(other.replace("{}", "") for _, other, *_ in MATTERS if other.split("{}")[-1] not in second)]
    for number, text in enumerate(texts, start=1):
        index.add(Remembered(number, f"event-{number}", reading(f"case-{number}", text)))
    return index.nearest(reading("new", second))


def test_there_are_a_hundred_pairs() -> None:
    assert len(set(PAIRS)) == 100


@pytest.mark.parametrize(("first", "second", "place", "other"), PAIRS)
def test_two_places_do_not_join(first: str, second: str, place: str, other: str) -> None:
    for nearness in (NEARNESS, LOOSE, TITLED):
        match = nearest(first.replace("{}", place), second.replace("{}", other), nearness)
        assert match is None or match.event != "event-1"


def test_most_pairs_join_at_one_place() -> None:
    matches = [nearest(first.replace("{}", place), second.replace("{}", place)) for first, second, place, _ in PAIRS]
    joined = [match for match in matches if match is not None and match.event == "event-1"]
    assert len(joined) >= 70
    assert len([match for match in matches if match is not None]) == len(joined), "nothing else joins"


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("翠湖花园电梯停运", "我住在翠湖花园，电梯坏了", "翠湖"),
        ("翠湖花园3号楼漏水", "翠湖花园5号楼漏水", None),
        ("翠湖花园3号楼漏水", "翠湖花园漏水", "翠湖"),
        ("人民东路路灯不亮", "人民西路路灯不亮", None),
        ("路灯不亮", "人民西路路灯不亮", ""),
        ("3号线晚点", "5号线晚点", None),
        ("3号线晚点", "3号线又停了", "line 3"),
        ("向阳新村停水", "家住向阳新村，停水了", "向阳"),
        ("本小区停水", "全小区停水", ""),
        ("马路上很脏", "公路上很脏", ""),
        ("Lift at Maple Court", "The lift in Maple Court", "maple"),
        ("Lift at Maple Court", "Lift at Cedar Court", None),
    ],
)
def test_places_in_common(one: str, other: str, common: str | None) -> None:
    assert common_place(find_places(read_text(one)), find_places(read_text(other))) == common
    assert (common_place(find_places(read_text(other)), find_places(read_text(one))) is None) == (common is None)


@pytest.mark.parametrize(("one", "other", "common"), [("A 12", "a 12", "a 12"), ("A 12", "A 13", None), ("A 12", "", "")])
def test_object_and_place_fields_tell_places_apart(one: str, other: str, common: str | None) -> None:
    assert common_place(find_places("", thing=one), find_places("", thing=other)) == common
    assert common_place(find_places("", place=one), find_places("", place=other)) == common
