"""Decides in which order a channel's providers are tried for a message: by weight, the same order for the same message everywhere."""

import hashlib
import math
from collections.abc import Iterable

_SCALE = 2.0**64


def preference_order(key: str, weights: Iterable[tuple[str, float]]) -> list[str]:
    """The ids of the providers, the preferred one first; over many keys each is first in the proportion of its weight.

    Weighted rendezvous hashing: the order follows from the key alone, so a repeated attempt, also of another process after a crash,
    goes first to the provider that may have sent the message already. Providers with weight 0 come last.
    """
    return [provider for _, provider in sorted((_distance(key, provider, weight), provider) for provider, weight in weights)]


def _distance(key: str, provider: str, weight: float) -> float:
    digest = hashlib.sha256(f"{key}|{provider}".encode()).digest()
    uniform = (int.from_bytes(digest[:8], "big") + 0.5) / _SCALE
    return -math.log(uniform) / weight if weight > 0 else math.inf
