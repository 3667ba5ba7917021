"""Text that every store and consumer can take: without NUL, without lone surrogates."""

from typing import Any

_REPLACEMENT = "\ufffd"


def sanitised(value: Any) -> Any:
    """The same JSON value with NUL and lone surrogates replaced by U+FFFD, in keys too."""
    if isinstance(value, str):
        return sanitised_text(value)
    if isinstance(value, dict):
        return {sanitised(key): sanitised(item) for key, item in value.items()}
    return [sanitised(item) for item in value] if isinstance(value, list) else value


def sanitised_text(text: str) -> str:
    """One text without NUL and lone surrogates."""
    if text.isascii() and "\x00" not in text:
        return text
    # UTF-16 joins surrogates that make a pair and finds those that do not.
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\x00", _REPLACEMENT)
