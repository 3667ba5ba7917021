"""Polls a condition until it is true or a deadline passes; tests use it instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

T = TypeVar("T")
PAUSE = 0.02


@overload
async def wait_for(condition: Callable[[], Awaitable[T]], deadline: float = ..., what: str = ..., pause: float = ...) -> T: ...
@overload
async def wait_for(condition: Callable[[], T], deadline: float = ..., what: str = ..., pause: float = ...) -> T: ...
async def wait_for(condition: Callable[[], T | Awaitable[T]], deadline: float = 20.0, what: str = "", pause: float = PAUSE) -> T:
    """Return the first true value of `condition`, which may be async; fail after `deadline` seconds with `what` and the last value."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        value = cast("T", await result if inspect.isawaitable(result) else result)
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what or getattr(condition, '__name__', 'condition')} did not hold within {deadline} s; last: {value!r}")
        await asyncio.sleep(pause)
