"""The log lines of a local stack: one file a process, JSON lines of the services and plain ones of the servers."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

_NO_TIME = ""
_SHOWN_BEFORE = ("timestamp", "level", "event", "service", "logger")


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line as it was written by a process; `fields` is empty where it is no JSON."""

    process: str
    text: str
    fields: dict[str, Any]

    @property
    def timestamp(self) -> str:
        """The instant in ISO 8601, UTC; empty for a line without one."""
        return str(self.fields.get("timestamp", _NO_TIME))

    def shown(self) -> str:
        """The line for people."""
        if not self.fields:
            return f"{self.process:<8} {self.text}"
        rest = " ".join(f"{name}={value}" for name, value in self.fields.items() if name not in _SHOWN_BEFORE)
        return (
            f"{self.timestamp[:23]:<23} {self.process:<8} {self.fields.get('level', ''):<8} {self.fields.get('event', '')} {rest}".rstrip()
        )


@dataclass
class LogFile:
    """A log file that is read on from where the last reading ended."""

    process: str
    path: Path
    _offset: int = 0
    _rest: bytes = b""

    def new_lines(self) -> Iterator[LogLine]:
        """The complete lines since the last call."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return
        if size < self._offset:
            # `jiesu up` was started anew, which empties the file.
            self._offset, self._rest = 0, b""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        self._offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        yield from (parse_line(self.process, line.decode(errors="replace")) for line in lines if line.strip())


@dataclass(frozen=True)
class LineFilter:
    """Which lines are shown: all, or those that name a case."""

    case: str = ""
    _pattern: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.case:
            object.__setattr__(self, "_pattern", re.compile(rf"(?<![\w-]){re.escape(self.case)}(?![\w-])"))

    def passes(self, line: LogLine) -> bool:
        """Whether the line is shown; a case may be in any field, such as the list of a batch."""
        return self._pattern is None or self._pattern.search(line.text) is not None


def log_files(root: Path) -> dict[str, LogFile]:
    """The log files of the stack in `root`, by process; of servers too, unless they are the user's own."""
    servers = {"broker": root / "kafka" / "kafka.log", "database": root / "postgres" / "postgres.log"}
    paths = {file.stem: file for file in sorted((root / "logs").glob("*.log"))} | {n: p for n, p in servers.items() if p.exists()}
    return {name: LogFile(name, path) for name, path in paths.items()}


def parse_line(process: str, text: str) -> LogLine:
    """One line; text that is no JSON object is shown as it is."""
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        fields = {}
    return LogLine(process, text, fields if isinstance(fields, dict) else {})


def in_order(lines: Sequence[LogLine]) -> list[LogLine]:
    """By time; a line without one stays behind the line of its process before it, such as a traceback."""
    keyed: list[tuple[str, LogLine]] = []
    last: dict[str, str] = {}
    for line in lines:
        last[line.process] = line.timestamp or last.get(line.process, _NO_TIME)
        keyed.append((last[line.process], line))
    return [line for _, line in sorted(keyed, key=lambda pair: pair[0])]
