"""A sampled stack counts for the layer of its innermost frame that has one."""

import pytest

from tests.bench.measuring.layers import layer_of

SERVICE = "/project/shared/runtime/service.py:run_service"


@pytest.mark.parametrize(
    ("layer", "frames"),
    [
        ("fetch", ["/lib/aiokafka/consumer/fetcher.py:_unpack_records", SERVICE]),
        ("relay", ["/lib/aiokafka/producer/sender.py:run", SERVICE]),
        ("relay", ["/lib/orjson/x.py:loads", "/project/shared/runtime/outbox/relay.py:_producer_records", SERVICE]),
        ("decode", ["/lib/pydantic/main.py:model_validate_json", "/project/shared/contracts/__init__.py:decode_body", SERVICE]),
        ("encode", ["/lib/pydantic/main.py:model_dump_json", "/project/shared/contracts/events/__init__.py:encode_event", SERVICE]),
        ("decide", ["/python/re/__init__.py:search", "/project/services/sla/domain/lifecycle/decide.py:decide", SERVICE]),
        ("SQL", ["/lib/asyncpg/connection.py:fetch", "/project/shared/runtime/database/transaction.py:fetch", SERVICE]),
        ("application", ["/python/dataclasses.py:replace", "/project/services/sla/application/case_batch.py:_decide", SERVICE]),
        ("application", ["/lib/orjson/x.py:dumps", "/project/tests/bench/limits/skeleton_service.py:fire", SERVICE]),
        ("runtime", ["/python/asyncio/base_events.py:run_forever"]),
    ],
)
def test_stack_is_assigned_to_its_layer(layer: str, frames: list[str]) -> None:
    assert layer_of(frames) == layer
