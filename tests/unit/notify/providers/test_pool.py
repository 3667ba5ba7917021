"""Several providers of a channel: shares, failover, doubt, breakers, rates and parts."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers import provider_breaker
from services.notify.providers.pool import ChannelPool, RatedProvider
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from services.notify.providers.providers_file import ProviderEntry

MESSAGE = OutgoingMessage("key", "+8613800000001", "", "投诉单 1 待办", language="zh")
BUSY = SendFailed(FailureReason.BUSY, permanent=False, code="503")
REFUSED = SendFailed(FailureReason.REFUSED, permanent=True, code="422")
IN_DOUBT = SendFailed(FailureReason.UNREACHABLE, permanent=False, in_doubt=True)
ACCEPTED = SendAccepted("r")


class ScriptedProvider:
    """Gives the results in turn, the last one for ever, and keeps the messages."""

    channel = "sms"

    def __init__(self, *results: SendAccepted | SendFailed | Exception) -> None:
        self.results = list(results) or [ACCEPTED]
        self.messages: list[OutgoingMessage] = []
        self.closed = False

    async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
        self.messages.append(message)
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        return result

    async def close(self) -> None:
        self.closed = True


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(provider_breaker, "monotonic", clock)
    return clock


def pool(first: ScriptedProvider, second: ScriptedProvider, first_options: Any = None, second_options: Any = None) -> ChannelPool:
    """`first` is preferred, as the reserve has weight 0."""
    return ChannelPool(
        RatedProvider.of(ProviderEntry(id=name, channel="sms", kind="http_sms", **options), provider)
        for name, provider, options in (("first", first, first_options or {}), ("second", second, {"weight": 0} | (second_options or {})))
    )


async def test_accepted_message_names_its_provider_and_parts() -> None:
    result = await pool(ScriptedProvider(), second := ScriptedProvider()).send(MESSAGE)
    assert result == SendAccepted("r", provider="first", billed_parts=1)
    assert second.messages == []


async def test_temporary_refusal_goes_to_the_next_provider() -> None:
    result = await pool(ScriptedProvider(BUSY), ScriptedProvider()).send(MESSAGE)
    assert isinstance(result, SendAccepted)
    assert result.provider == "second"


async def test_permanent_refusal_is_final() -> None:
    result = await pool(ScriptedProvider(REFUSED), second := ScriptedProvider()).send(MESSAGE)
    assert result == replace(REFUSED, provider="first")
    assert second.messages == []


async def test_message_in_doubt_stays_with_its_provider() -> None:
    channel = pool(first := ScriptedProvider(IN_DOUBT, BUSY, ACCEPTED), second := ScriptedProvider())
    assert await channel.send(MESSAGE) == replace(IN_DOUBT, provider="first")
    pinned = replace(MESSAGE, provider="first")
    assert await channel.send(pinned) == replace(BUSY, provider="first")
    assert isinstance(await channel.send(pinned), SendAccepted)
    assert (len(first.messages), second.messages) == (3, [])


async def test_operator_may_prefer_twice_to_late() -> None:
    channel = pool(ScriptedProvider(IN_DOUBT), ScriptedProvider(), {"pass_on_doubt": True})
    result = await channel.send(MESSAGE)
    assert isinstance(result, SendAccepted)
    assert result.provider == "second"


async def test_exception_of_a_provider_is_in_doubt() -> None:
    result = await pool(ScriptedProvider(RuntimeError("a bug")), second := ScriptedProvider()).send(MESSAGE)
    assert result == SendFailed(FailureReason.GARBAGE, permanent=False, in_doubt=True, provider="first")
    assert second.messages == []


async def test_breaker_opens_after_failures_in_a_row_and_closes_after_one_success(seconds: Seconds) -> None:
    channel = pool(first := ScriptedProvider(BUSY, BUSY, BUSY, ACCEPTED), ScriptedProvider(), {"breaker": {"failures": 2, "pause": 30}})
    for _ in range(3):
        await channel.send(MESSAGE)
    assert len(first.messages) == 2, "the third message goes to the second provider at once"
    seconds.now += 30
    await channel.send(MESSAGE)
    await channel.send(MESSAGE)
    assert len(first.messages) == 3, "one trial after the pause, which fails"
    seconds.now += 30
    assert [result.provider for result in [await channel.send(MESSAGE), await channel.send(MESSAGE)]] == ["first", "first"]


async def test_postponed_message_neither_opens_the_breaker_nor_holds_a_trial(seconds: Seconds) -> None:
    postponed = SendFailed(FailureReason.BUSY, permanent=False, retry_after=5.0, postponed=True)
    options = {"breaker": {"failures": 1, "pause": 30}}
    robot = ScriptedProvider(postponed, postponed, BUSY, postponed, ACCEPTED)
    channel = ChannelPool([RatedProvider.of(ProviderEntry(id="robot", channel="sms", kind="http_sms", **options), robot)])
    for _ in range(3):
        await channel.send(MESSAGE)
    assert len(robot.messages) == 3, "the robot's own limit does not open the breaker"
    seconds.now += 30
    assert await channel.send(MESSAGE) == replace(postponed, provider="robot")
    assert isinstance(await channel.send(MESSAGE), SendAccepted), "the next message is the trial"


async def test_refused_recipients_do_not_open_the_breaker() -> None:
    channel = pool(first := ScriptedProvider(REFUSED), ScriptedProvider(), {"breaker": {"failures": 1}})
    for _ in range(3):
        await channel.send(MESSAGE)
    assert len(first.messages) == 3


@pytest.mark.usefixtures("seconds")
async def test_provider_without_an_approved_template_leaves_the_text_to_the_others() -> None:
    no_template = SendFailed(FailureReason.TEMPLATE, permanent=True)
    accepted = await pool(ScriptedProvider(no_template), ScriptedProvider()).send(MESSAGE)
    assert isinstance(accepted, SendAccepted)
    busy = pool(ScriptedProvider(BUSY), ScriptedProvider(no_template), {"breaker": {"failures": 1, "pause": 30}})
    assert await busy.send(MESSAGE) == replace(BUSY, provider="first"), "the first provider may carry it later"
    assert (await busy.send(MESSAGE)) == SendFailed(FailureReason.UNREACHABLE, permanent=False, retry_after=30.0, postponed=True)
    none = await pool(ScriptedProvider(no_template), ScriptedProvider(no_template)).send(MESSAGE)
    assert none == replace(no_template, provider="second")


async def test_open_breakers_postpone_without_an_attempt(seconds: Seconds) -> None:
    options = {"breaker": {"failures": 1, "pause": 30}}
    channel = pool(first := ScriptedProvider(BUSY), second := ScriptedProvider(BUSY), options, options)
    await channel.send(MESSAGE)
    seconds.now += 10
    result = await channel.send(MESSAGE)
    assert result == SendFailed(FailureReason.UNREACHABLE, permanent=False, retry_after=20.0, postponed=True)
    assert (len(first.messages), len(second.messages)) == (1, 1)


async def test_provider_serves_its_prefixes_and_languages_only() -> None:
    channel = pool(ScriptedProvider(), ScriptedProvider(), {"serves": {"prefixes": ["+852", "+853"]}}, {"serves": {"languages": ["zh"]}})
    results = [await channel.send(replace(MESSAGE, address=to, language=language)) for to, language in [
        ("+85298765432", "en"), ("+8613800000001", "zh"), ("+8613800000001", "en"),
    ]]  # fmt: skip
    assert [result.provider for result in results] == ["first", "second", ""]
    assert results[2] == SendFailed(FailureReason.NO_PROVIDER, permanent=True)


async def test_text_of_too_many_parts_is_refused_before_sending() -> None:
    channel = pool(first := ScriptedProvider(), second := ScriptedProvider(), {"max_parts": 1}, {"max_parts": 2})
    long, longer = replace(MESSAGE, text="投" * 71), replace(MESSAGE, text="投" * 135)
    assert [(await channel.send(message)).provider for message in (MESSAGE, long)] == ["first", "second"]
    assert await channel.send(longer) == SendFailed(FailureReason.TOO_LONG, permanent=True, code="3")
    assert (len(first.messages), len(second.messages)) == (1, 1)


async def test_rate_counts_parts_and_spills_over_to_the_next_weighted_provider() -> None:
    channel = pool(first := ScriptedProvider(), second := ScriptedProvider(), {"rate": 0.001}, {"weight": 1e-9})
    long = replace(MESSAGE, text="投" * 71)
    assert [(await channel.send(long)).provider for _ in range(2)] == ["first", "second"]
    assert (len(first.messages), len(second.messages)) == (1, 1)


async def test_exhausted_rate_postpones_without_an_attempt() -> None:
    channel = pool(first := ScriptedProvider(), second := ScriptedProvider(), {"rate": 0.001}, {"rate": 0.001})
    for _ in range(2):
        await channel.send(MESSAGE)
    result = await channel.send(MESSAGE)
    assert isinstance(result, SendFailed)
    assert result.postponed
    assert result.retry_after is not None
    assert result.retry_after > 900
    assert (len(first.messages), len(second.messages)) == (1, 1)


async def test_closing_closes_every_provider() -> None:
    providers = [ScriptedProvider(), ScriptedProvider()]
    await pool(*providers).close()
    assert all(provider.closed for provider in providers)


async def test_message_beyond_the_concurrency_goes_elsewhere_or_is_postponed() -> None:
    class SlowProvider(ScriptedProvider):
        def __init__(self) -> None:
            super().__init__()
            self.finish = asyncio.Event()

        async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
            await self.finish.wait()
            return await super().send(message)

    slow = SlowProvider()
    channel = pool(slow, second := ScriptedProvider(), {"concurrency": 1}, {"weight": 1e-9})
    sending = asyncio.ensure_future(channel.send(MESSAGE))
    await asyncio.sleep(0)
    assert (await channel.send(MESSAGE)).provider == "second"
    alone = pool(waiting := SlowProvider(), ScriptedProvider(), {"concurrency": 1, "timeout": 0.05}, {"serves": {"prefixes": ["+1"]}})
    blocked = asyncio.ensure_future(alone.send(MESSAGE))
    await asyncio.sleep(0)
    result = await alone.send(MESSAGE)
    assert isinstance(result, SendFailed)
    assert (result.postponed, result.provider) == (True, "first")
    slow.finish.set()
    waiting.finish.set()
    assert {(await sending).provider, (await blocked).provider} == {"first"}
    assert len(second.messages) == 1


async def test_repeated_attempt_keeps_the_order_of_its_key_whatever_the_load() -> None:
    class HeldProvider(ScriptedProvider):
        def __init__(self) -> None:
            super().__init__()
            self.finish = asyncio.Event()

        async def send(self, message: OutgoingMessage) -> SendAccepted | SendFailed:
            await self.finish.wait()
            return await super().send(message)

    channel = pool(first := HeldProvider(), ScriptedProvider(), {"concurrency": 1}, {"weight": 1e-9})
    sending = asyncio.ensure_future(channel.send(replace(MESSAGE, idempotency_key="other")))
    await asyncio.sleep(0)
    repeated = asyncio.ensure_future(channel.send(replace(MESSAGE, attempt=2)))
    await asyncio.sleep(0)
    first.finish.set()
    assert [(await sending).provider, (await repeated).provider] == ["first", "first"]


def test_longest_attempt_counts_every_provider_and_its_waits() -> None:
    assert pool(ScriptedProvider(), ScriptedProvider(), {"timeout": 5, "rate": 1}, {"timeout": 3, "concurrency": 2}).longest_attempt == 16
