"""Checks the addresses of the servers in the settings; the errors hold no part of the value, which may contain a password."""

import re
from urllib.parse import urlsplit

_BROKER = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
_DATABASE_SCHEMES = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_MAX_PORT = 65_535


def check_bootstrap_servers(text: str) -> str:
    """The text, if it is a list host:port, comma separated; raises `ValueError`."""
    for address in text.split(","):
        match = _BROKER.fullmatch(address.strip())
        if match is None or not 0 < int(match["port"]) <= _MAX_PORT:
            raise ValueError("must read host:port, comma separated, without a scheme such as http://")
    return text


def check_trace_endpoint(text: str) -> str:
    """The text, if it is empty or the URL of OTLP's traces over HTTP; raises `ValueError`."""
    try:
        url = urlsplit(text)
        usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.path.strip("/") != "" and url.port != 0 and not url.username
    except ValueError:
        usable = False
    if text and not usable:
        raise ValueError("must be the whole URL, http://host:4318/v1/traces; a password belongs to JIESU_TRACE_HEADERS")
    return text


def parse_headers(text: str) -> dict[str, str]:
    """The headers in `name=value, name=value`; raises `ValueError`."""
    headers: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, separator, value = pair.partition("=")
        if not separator or not _HEADER_NAME.fullmatch(name) or not value.isascii() or not value.isprintable():
            raise ValueError("must read name=value, comma separated, in ASCII")
        headers[name] = value
    return headers


def check_database_url(text: str) -> None:
    """Raise `ValueError` unless the text is a URL of PostgreSQL."""
    try:
        url = urlsplit(text)
        usable = url.scheme in _DATABASE_SCHEMES and url.path.strip("/") != "" and url.port != 0
    except ValueError:  # a port that is no number, a bracket without its pair
        usable = False
    if not usable:
        raise ValueError("must read postgresql://user:password@host:port/database")
