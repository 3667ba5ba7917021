"""Cases and group counters that events change one after the other, and that can go back to how they were before the last event."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from services.triage.domain.groups.counters import CounterKey, GroupCounter, completed
from services.triage.domain.triage_case import TriageCase

K = TypeVar("K")
V = TypeVar("V")


class UndoableDict(dict[K, V], Generic[K, V]):
    """A dictionary whose assignments since `keep` can be taken back. Assign items only: `pop` and `update` are not taken back.

    `find_missing` gives an item that is not in it when it is read as `items[key]` or by `find`; None for an unknown one.
    """

    def __init__(self, items: Mapping[K, V], find_missing: Callable[[K], V | None] | None = None) -> None:
        super().__init__(items)
        self._find_missing = find_missing
        self._before: dict[K, V | None] = {}

    def __missing__(self, key: K) -> V:
        value = None if self._find_missing is None else self._find_missing(key)
        if value is None:
            raise KeyError(key)
        super().__setitem__(key, value)
        return value

    def find(self, key: K) -> V | None:
        """The item, None without one."""
        try:
            return self[key]
        except KeyError:
            return None

    def __setitem__(self, key: K, value: V) -> None:
        if key not in self._before:
            self._before[key] = self.get(key)
        super().__setitem__(key, value)

    def keep(self) -> None:
        """Keep the assignments so far."""
        self._before.clear()

    def undo(self) -> None:
        """Take back the assignments since `keep`."""
        for key, value in self._before.items():
            if value is None:
                super().__delitem__(key)
            else:
                super().__setitem__(key, value)
        self._before.clear()


class CountedCases:
    """The cases and the group counters under which they count."""

    def __init__(
        self,
        cases: Mapping[str, TriageCase],
        counters: Mapping[CounterKey, GroupCounter],
        find_case: Callable[[str], TriageCase | None] | None = None,
    ) -> None:
        self.cases = UndoableDict(cases, find_case)
        self.counters = UndoableDict(counters)

    def keep(self) -> None:
        """Keep what was applied: `undo` goes back to here."""
        self.cases.keep()
        self.counters.keep()

    def undo(self) -> None:
        """Take back what was applied since `keep`."""
        self.cases.undo()
        self.counters.undo()

    def complete_counter(self, counter: CounterKey, before: GroupCounter, whole: GroupCounter) -> None:
        """Add the occurrences that were not loaded `before` to a counter as the events so far left it."""
        self.counters[counter] = completed(self.counters.get(counter, GroupCounter()), before, whole)
        self.keep()
