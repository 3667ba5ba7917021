"""JSON logs with case, event and trace, without personal data."""

import logging
import re
from collections import deque
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from shared.runtime.clock import monotonic
from shared.runtime.tracing.context import current_activity, trace_id

_REDACTED_FIELDS = frozenset(
    (
        *("name", "phone", "email", "address", "text", "title", "identity", "household", "enterprise", "complainant", "against", "object"),
        *("demand", "place", "body", "contact", "recipient", "to", "authorization", "password", "secret", "token", "api_key", "sealed"),
        *("signature", "cookie"),
    )
)
_PERSONAL_DATA_PATTERNS = (
    (re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"), "[identity]"),
    (re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9A-Za-z])"), "[phone]"),
    (re.compile(r"(?<![0-9A-Za-z-])0\d{2,3}[- ]?\d{7,8}(?![0-9A-Za-z])"), "[phone]"),
)
_DEPTH = 6
_REPEAT_LIMIT = 20
_REPEAT_WINDOW_SECONDS = 10.0


def redact(value: Any, depth: int = _DEPTH) -> Any:
    """The value with known fields of personal data replaced, and phone numbers, addresses and identity numbers within any text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth and isinstance(value, dict):
        return {k: "[redacted]" if str(k).lower() in _REDACTED_FIELDS else redact(v, depth - 1) for k, v in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth - 1) for item in value]
    return _redact_text(value if isinstance(value, str) else type(value).__name__)


def _redact_text(text: str) -> str:
    for pattern, label in _PERSONAL_DATA_PATTERNS:
        text = pattern.sub(label, text)
    return text


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return redact(dict(event))  # type: ignore[no-any-return]


def _add_activity(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add trace, case and event id of the current activity to a line that does not name its own."""
    if (activity := current_activity()) is not None:
        fields = {"trace": trace_id(), "case": activity.case, "event_id": activity.event}
        for name, value in fields.items():
            if value:
                event.setdefault(name, value)
    return event


def _render(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _RepeatFilter(logging.Filter):
    """Passes 20 records of one log call in 10 seconds: aiokafka logs thousands a second while no leader is known."""

    def __init__(self) -> None:
        super().__init__()
        self._times: dict[str, deque[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        times = self._times.setdefault(f"{record.name}:{record.lineno}", deque(maxlen=_REPEAT_LIMIT))
        now = monotonic()
        if len(times) == _REPEAT_LIMIT and now - times[0] < _REPEAT_WINDOW_SECONDS:
            return False
        times.append(now)
        return True


def configure(level: str = "INFO", service: str = "", stream: TextIO | None = None) -> None:
    """Render our logs and those of all libraries as redacted JSON lines, on standard error by default."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_activity,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    tail: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,  # a plain traceback holds no values of local variables
        _redact_event,
        _render,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a logger that was used before would keep its old configuration
    )
    handler = logging.StreamHandler(stream)
    handler.addFilter(_RepeatFilter())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=tail))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("aiokafka", "faststream", "alembic", "uvicorn", "httpx", "asyncio", "urllib3", "opentelemetry"):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    if service:
        structlog.contextvars.bind_contextvars(service=service)
