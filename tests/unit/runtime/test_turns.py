"""Long work lets others have their turn, and a poll's records are shared out fairly."""

import asyncio
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.kafka.record import Raw
from shared.runtime.process.scheduling import PIECE, in_turns
from shared.runtime.subscription.consumer import lanes


async def test_long_work_gives_others_their_turn_and_keeps_its_order() -> None:
    begun = 0
    seen: list[int] = []

    def work(number: int) -> int:
        nonlocal begun
        begun += 1
        return number

    async def other() -> None:
        while begun < 5 * PIECE:
            seen.append(begun)
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    assert [work(number) async for number in in_turns(range(5 * PIECE))] == list(range(5 * PIECE))
    await beside
    assert max(later - earlier for earlier, later in pairwise(seen)) <= PIECE


def raw(partition: int, offset: int) -> Raw:
    return Raw("t", partition, offset, 0, 1, "k", b"k", b"", ())


@given(st.lists(st.integers(0, 23), max_size=300))
def test_each_partition_is_in_one_lane_in_order_and_no_lane_is_needlessly_long(partitions: list[int]) -> None:
    raws = [raw(partition, offset) for offset, partition in enumerate(partitions)]
    made = lanes(raws)
    assert sorted(record.offset for lane in made for record in lane) == list(range(len(raws)))
    assert all(a.offset < b.offset for lane in made for a, b in pairwise(lane))
    homes = [{record.partition for record in lane} for lane in made]
    assert sum(map(len, homes)) == len(set(partitions))
    largest = max(Counter(partitions).values(), default=0)
    lengths = sorted(map(len, made))
    assert len(lengths) == min(2, len(set(partitions)))
    assert not lengths or lengths[-1] - (lengths[0] if len(lengths) > 1 else 0) <= largest
