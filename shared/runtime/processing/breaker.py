"""Stops a partition whose records go bad in a run or in bulk, before a whole topic ends as dead letters."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

_WINDOW = 100


@dataclass
class _History:
    run: int = 0
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def after(self, outcomes: Sequence[bool]) -> "_History":
        """The history with further outcomes, True for a good record."""
        run, recent = self.run, self.recent.copy()
        for good in outcomes:
            run = 0 if good else run + 1
            recent.append(good)
        return _History(run, recent)


class Breaker:
    """Judges each partition by its bad records; `run` in a row or `share` of the last 100 stop it until the process restarts."""

    def __init__(self, run: int, share: float) -> None:
        self._run = run
        self._share = share
        self._histories: dict[TopicPartition, _History] = {}
        self.stopped: set[TopicPartition] = set()

    def judge(self, outcomes: Mapping[TopicPartition, Sequence[bool]]) -> set[TopicPartition]:
        """The partitions that these outcomes would stop; nothing is remembered yet."""
        return {partition for partition, results in outcomes.items() if self._trips(self._history(partition).after(results))}

    def remember(self, outcomes: Mapping[TopicPartition, Sequence[bool]]) -> None:
        """Count outcomes that have been committed."""
        for partition, results in outcomes.items():
            self._histories[partition] = self._history(partition).after(results)

    def _history(self, partition: TopicPartition) -> _History:
        return self._histories.get(partition) or _History()

    def _trips(self, history: _History) -> bool:
        if self._run == 0:
            return False
        bad = history.recent.count(False)
        return history.run >= self._run or (len(history.recent) == _WINDOW and bad >= self._share * _WINDOW)
