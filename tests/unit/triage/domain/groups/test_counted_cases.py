"""Going back to before the last event, and completing a counter that events have changed meanwhile."""

from datetime import timedelta

import pytest

from services.triage.domain.groups.counted_cases import CountedCases, UndoableDict
from services.triage.domain.groups.counters import CounterKey, GroupCounter, Occurrence
from tests.unit.triage.conftest import START

KEY = CounterKey("shop", "people", "x")


def occurrence(case: str, group: str = "") -> Occurrence:
    return Occurrence(START + timedelta(minutes=ord(case)), case, f"phone:{case}", group)


def test_undo_takes_back_what_was_assigned_since_keep() -> None:
    numbers = UndoableDict({"a": 1})
    numbers["b"] = 2
    numbers.keep()
    numbers["a"], numbers["b"], numbers["c"] = 10, 20, 30
    numbers["a"] = 11
    numbers.undo()
    assert numbers == {"a": 1, "b": 2}
    numbers.undo()
    assert numbers == {"a": 1, "b": 2}


def test_missing_item_is_found_once_and_may_be_replaced_and_taken_back() -> None:
    asked: list[str] = []

    def find(key: str) -> int | None:
        asked.append(key)
        return 7 if key == "stored" else None

    numbers = UndoableDict[str, int]({}, find)
    assert (numbers["stored"], numbers["stored"], asked) == (7, 7, ["stored"])
    numbers["stored"] = 8
    numbers.undo()
    assert numbers["stored"] == 7
    assert numbers.find("unknown") is None
    with pytest.raises(KeyError):
        numbers["unknown"]


def test_item_that_is_replaced_unread_is_read_again_after_undo() -> None:
    numbers = UndoableDict[str, int]({}, {"stored": 7}.get)
    numbers["stored"] = 8
    numbers.undo()
    assert numbers["stored"] == 7


def test_completed_counter_keeps_what_events_did_to_it() -> None:
    before = GroupCounter((occurrence("a"), occurrence("c", "g")), partial=True)
    counted = CountedCases({}, {KEY: before})
    counted.counters[KEY] = GroupCounter((occurrence("c", "g2"), occurrence("d", "g2")), "g2", partial=True)
    whole = GroupCounter(tuple(map(occurrence, "abc")), partial=False)
    counted.complete_counter(KEY, before, whole)
    counted.undo()
    completed = counted.counters[KEY]
    # a was removed, b had not been loaded, d is new.
    assert [(o.case, o.group) for o in completed.occurrences] == [("b", ""), ("c", "g2"), ("d", "g2")]
    assert (completed.open_group, completed.partial) == ("g2", False)
