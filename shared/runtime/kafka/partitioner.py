"""The partition of a record key, as Kafka's Java client computes it."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFFFFFF


def partition_of(key: str | bytes, partition_count: int) -> int:
    """The partition of a key by murmur2: the default of the Java client and aiokafka, `murmur2_random` of librdkafka."""
    return _positive_hash(key.encode() if isinstance(key, str) else key) % partition_count


# A case's key is hashed for every record that is read or sent; aiokafka's murmur2 in Python takes 5.6 µs for a case id.
@lru_cache(maxsize=20_000)
def _positive_hash(key: bytes) -> int:
    return int(murmur2(key)) & _POSITIVE
