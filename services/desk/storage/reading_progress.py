"""How far each process of the desk has read, and a number that grows with each batch: pages follow it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.runtime.database.database import Transaction

_ADVANCE = """
INSERT INTO reading_progress (process, version, lag_seconds, partitions, noted_at) VALUES ($1, 1, 0, 0, 'epoch')
ON CONFLICT (process) DO UPDATE SET version = reading_progress.version + 1
"""
_NOTE = """
INSERT INTO reading_progress (process, version, lag_seconds, partitions, noted_at) VALUES ($1, 0, $2, $3, now())
ON CONFLICT (process) DO UPDATE SET lag_seconds = $2, partitions = $3, noted_at = now()
"""
# A process that is gone keeps its version, which the sum needs, and has no say about the age.
STATE = """
SELECT ARRAY[coalesce(sum(version), 0)::float8, max(lag_seconds + extract(epoch FROM now() - noted_at))
           FILTER (WHERE noted_at > now() - interval '1 minute' AND partitions > 0)]
  FROM reading_progress
"""
"""SQL expression of a look; `state_from` takes its value."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """The version of the read model, and by how many seconds it is behind the topics; None while no process reads."""

    version: int
    age_seconds: float | None


class ReadingProgress:
    """Notes the progress of this process."""

    def __init__(self, process: str) -> None:
        self._process = UUID(process)

    async def advance(self, tx: Transaction) -> None:
        """Count a batch that changed the read model."""
        await tx.execute(_ADVANCE, self._process)

    async def note(self, tx: Transaction, lag_seconds: float, partitions: int) -> None:
        """Note how far this process is behind, and how many partitions it reads."""
        await tx.execute(_NOTE, self._process, lag_seconds, partitions)


async def read_state(tx: Transaction) -> Sequence[float | None]:
    """The value of `STATE`."""
    values: list[float | None] = await tx.fetchval(STATE)
    return values


def state_from(values: Sequence[float | None]) -> ModelState:
    """The state of the read model, over all processes."""
    version, age = values
    return ModelState(int(version or 0), age)
