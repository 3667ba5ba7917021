"""The partition of a key is the one that Kafka's own client chooses."""

import pytest

from shared.runtime.kafka.partitioner import partition_of


# The hashes are those of Kafka's own tests of Utils.murmur2.
@pytest.mark.parametrize(
    ("key", "murmur2"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_partition_is_that_of_kafkas_murmur2(key: str, murmur2: int) -> None:
    assert partition_of(key, 24) == (murmur2 & 0x7FFFFFFF) % 24


def test_text_and_its_utf_8_bytes_are_on_the_same_partition() -> None:
    assert partition_of("王先生", 24) == partition_of("王先生".encode(), 24)
