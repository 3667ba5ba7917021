"""HTTP clients of a service in this process."""

import ssl
from typing import Any

import httpx

from shared.runtime.service import Service

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate. Without it each client would read the system's certificates, which takes 40 ms of a core."""


def key_client(service: Service, key: str, **options: Any) -> httpx.AsyncClient:
    """A client that sends the key of a source or the token of a person."""
    headers, base_url = {"Authorization": f"Bearer {key}"}, f"http://127.0.0.1:{service.http_port}"
    return httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30, verify=_NO_TLS, **options)
