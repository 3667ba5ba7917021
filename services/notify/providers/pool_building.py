"""Builds the pools of `providers.yaml`, and the pool of a single provider."""

import sys
from collections.abc import Iterable

from services.notify.providers.kind import ProviderContext
from services.notify.providers.pool import ChannelPool, RatedProvider
from services.notify.providers.provider import Provider
from services.notify.providers.providers_file import BreakerSettings, ProviderEntry
from services.notify.providers.registry import PROVIDER_KINDS
from shared.runtime.clock import Clock


def pools_of_file(entries: Iterable[ProviderEntry], clock: Clock, receipts_url: str = "") -> list[ChannelPool]:
    """One pool a channel; raises `Misconfigured` for a secret that is not in the environment."""
    by_channel: dict[str, list[RatedProvider]] = {}
    for entry in entries:
        by_channel.setdefault(entry.channel, []).append(RatedProvider.of(entry, build_provider(entry, clock, receipts_url)))
    return [ChannelPool(members) for members in by_channel.values()]


def build_provider(entry: ProviderEntry, clock: Clock, receipts_url: str = "") -> Provider:
    """The provider of a checked entry."""
    kind = PROVIDER_KINDS[entry.kind]
    url = f"{receipts_url.rstrip('/')}/{entry.id}" if receipts_url else ""
    return kind.create(kind.settings.model_validate(entry.settings), ProviderContext(entry.id, clock, entry.timeout, url))


def sole_providers(pools: Iterable[ChannelPool]) -> dict[str, str]:
    """Channel → id of its provider, for channels that have one provider only."""
    return {pool.channel: next(iter(pool.providers)) for pool in pools if len(pool.providers) == 1}


def single_provider_pool(provider_id: str, provider: Provider) -> ChannelPool:
    """The pool of a provider that the environment describes: without rate, and without a breaker, as there is nothing to hand over to."""
    never = BreakerSettings(failures=sys.maxsize)
    entry = ProviderEntry(id=provider_id.replace("_", "-"), channel=provider.channel, kind=provider_id, breaker=never)
    return ChannelPool([RatedProvider.of(entry, provider)])
