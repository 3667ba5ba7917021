"""Stores the messages of a sink, one JSON line each, readable while the sink runs."""

import json
from pathlib import Path
from typing import Any


class MessageFile:
    """Messages by idempotency key, in memory and in `file`; a repeated key is counted and not stored again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.messages: dict[str, dict[str, Any]] = {}
        self.duplicates = 0
        file.parent.mkdir(parents=True, exist_ok=True)

    def add(self, key: str, message: dict[str, Any]) -> bool:
        """Store a message; return whether its key is new."""
        if key in self.messages:
            self.duplicates += 1
            return False
        self.messages[key] = message
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"key": key, **message}, ensure_ascii=False) + "\n")
        return True
