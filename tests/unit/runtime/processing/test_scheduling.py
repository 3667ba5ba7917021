"""Long work lets others have their turn, and a poll's records are shared out fairly."""

import asyncio
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.kafka.record import RawRecord
from shared.runtime.process.scheduling import YIELD_INTERVAL, yield_every
from shared.runtime.subscription.broker import split_by_partition


async def test_long_work_gives_others_their_turn_and_keeps_its_order() -> None:
    begun = 0
    seen: list[int] = []

    def work(number: int) -> int:
        nonlocal begun
        begun += 1
        return number

    async def other() -> None:
        while begun < 5 * YIELD_INTERVAL:
            seen.append(begun)
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    assert [work(number) async for number in yield_every(range(5 * YIELD_INTERVAL))] == list(range(5 * YIELD_INTERVAL))
    await beside
    assert max(later - earlier for earlier, later in pairwise(seen)) <= YIELD_INTERVAL


def raw(partition: int, offset: int) -> RawRecord:
    return RawRecord(
        topic="t", partition=partition, offset=offset, timestamp_ms=0, timestamp_type=1, key="k", raw_key=b"k", body=b"", headers=()
    )


@given(st.lists(st.integers(0, 23), max_size=300))
def test_each_partition_is_in_one_lane_in_order_and_no_lane_is_needlessly_long(partitions: list[int]) -> None:
    raws = [raw(partition, offset) for offset, partition in enumerate(partitions)]
    made = split_by_partition(raws)
    assert sorted(record.offset for lane in made for record in lane) == list(range(len(raws)))
    assert all(a.offset < b.offset for lane in made for a, b in pairwise(lane))
    homes = [{record.partition for record in lane} for lane in made]
    assert sum(map(len, homes)) == len(set(partitions))
    largest = max(Counter(partitions).values(), default=0)
    lengths = sorted(map(len, made))
    assert len(lengths) == min(2, len(set(partitions)))
    assert not lengths or lengths[-1] - (lengths[0] if len(lengths) > 1 else 0) <= largest
