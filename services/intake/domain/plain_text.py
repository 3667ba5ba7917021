"""Replaces characters that PostgreSQL or UTF-8 cannot represent: NUL and lone surrogates."""

from typing import Any

_REPLACEMENT = "\ufffd"


def sanitised(value: Any) -> Any:
    """The JSON value with NUL and lone surrogates replaced by U+FFFD, in keys too."""
    if isinstance(value, str):
        return sanitised_text(value)
    if isinstance(value, dict):
        return {sanitised(key): sanitised(item) for key, item in value.items()}
    return [sanitised(item) for item in value] if isinstance(value, list) else value


def sanitised_text(text: str) -> str:
    """The text with NUL and lone surrogates replaced by U+FFFD."""
    if text.isascii() and "\x00" not in text:
        return text
    # The UTF-16 decoder joins valid surrogate pairs and replaces lone surrogates.
    decoded = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return decoded.replace("\x00", _REPLACEMENT)
