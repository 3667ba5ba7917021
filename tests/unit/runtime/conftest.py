"""A collector, and a tracer that exports to it at once."""

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.runtime.tracing.spans import Tracing
from tests.support.servers.otlp_receiver import OtlpReceiver


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
async def tracing(receiver: OtlpReceiver) -> AsyncIterator[Tracing]:
    """Samples every trace; `await tracing.close(5)` exports."""
    tracing = Tracing("probe", receiver.endpoint)
    tracing.open()
    yield tracing
    await tracing.close(5)
