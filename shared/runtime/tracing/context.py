"""The trace, case and event that the running code works on, as W3C Trace Context lays it down; needs no OpenTelemetry."""

import re
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_TRACE_ID = slice(3, 35)
_SAMPLED = "13579bdf"


def valid_traceparent(text: str | None) -> str | None:
    """The value of a `traceparent` header of version 00 (55 characters), None for anything else: the standard has it ignored.

    It travels in the headers of every message that follows, so a longer one could fill a record up to the broker's limit.
    """
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None


def is_sampled(traceparent: str | None) -> bool:
    """Whether the traceparent is of a trace whose spans are recorded: the lowest bit of its last digit."""
    return traceparent is not None and traceparent[-1] in _SAMPLED


@dataclass(frozen=True, slots=True)
class Activity:
    """The subject of the running code: a valid traceparent, a case, an event, each where there is one."""

    traceparent: str | None = None
    case: str = ""
    event: str = ""


_CURRENT: ContextVar[Activity | None] = ContextVar("jiesu_activity", default=None)


class working_on:  # noqa: N801 - a context manager, named as contextlib's are
    """Make the activity the current one within a block: `with working_on(Activity(…)): …`; a generator would take three times as long."""

    __slots__ = ("_activity", "_token")

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._token: Token[Activity | None] | None = None

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._activity)

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        if self._token is not None:
            _CURRENT.reset(self._token)


def current_activity() -> Activity | None:
    """The activity of the innermost `working_on` block, None outside."""
    return _CURRENT.get()


def current_traceparent() -> str | None:
    """The traceparent of the current activity: the parent of what is sent and stored now."""
    activity = _CURRENT.get()
    return None if activity is None else activity.traceparent


def request_traceparent(header: str | None) -> str | None:
    """The parent of what a request stores: its own span, else that of its header `traceparent`; None for an unreadable one."""
    return current_traceparent() or valid_traceparent(header)


def trace_id(traceparent: str | None = None) -> str | None:
    """The 32 hexadecimal digits of the trace of `traceparent`, of the current activity by default; None without a trace."""
    context = traceparent or current_traceparent()
    return None if context is None else context[_TRACE_ID]


def exemplar(traceparent: str | None = None) -> dict[str, str] | None:
    """The label of a Prometheus exemplar: `trace_id`, None for a trace that is not sampled, since it could not be looked up."""
    context = traceparent or current_traceparent()
    return {"trace_id": context[_TRACE_ID]} if context is not None and is_sampled(context) else None
