"""Stores the messages of a sink, one JSON line each, readable while the sink runs."""

import json
from pathlib import Path
from typing import Any


class MessageFile:
    """Messages by idempotency key, in memory and in `file`; a repeated key is counted and not stored again, also after a restart."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.messages: dict[str, dict[str, Any]] = {}
        self.duplicates = 0
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            self._read()

    def add(self, key: str, message: dict[str, Any]) -> bool:
        """Store a message; return whether its key is new."""
        if key in self.messages:
            self.duplicates += 1
            return False
        self.messages[key] = message
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"key": key, **message}, ensure_ascii=False) + "\n")
        return True

    def _read(self) -> None:
        content = self.file.read_bytes()
        # A sink that was killed while it wrote leaves half a line; the message was not acknowledged, so it comes again.
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            self.file.write_bytes(whole)
        for line in whole.splitlines():
            message = json.loads(line)
            self.messages[message.pop("key")] = message
