"""Checks the addresses of the servers in the settings; the errors hold no part of the value, which may contain a password."""

import re
from urllib.parse import urlsplit

_BROKER = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
_DATABASE_SCHEMES = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
_MAX_PORT = 65_535


def check_bootstrap_servers(text: str) -> str:
    """The text, if it is a list host:port, comma separated; raises `ValueError`."""
    for address in text.split(","):
        match = _BROKER.fullmatch(address.strip())
        if match is None or not 0 < int(match["port"]) <= _MAX_PORT:
            raise ValueError("must read host:port, comma separated, without a scheme such as http://")
    return text


def check_database_url(text: str) -> None:
    """Raise `ValueError` unless the text is a URL of PostgreSQL."""
    try:
        url = urlsplit(text)
        usable = url.scheme in _DATABASE_SCHEMES and url.path.strip("/") != "" and url.port != 0
    except ValueError:  # a port that is no number, a bracket without its pair
        usable = False
    if not usable:
        raise ValueError("must read postgresql://user:password@host:port/database")
