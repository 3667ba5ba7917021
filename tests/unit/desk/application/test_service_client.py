"""Calls of services whose connection is lost: a read is repeated once, a write never."""

import httpx
import pytest

from services.desk.application.service_client import ServiceClient, ServiceUnavailableError


class _LosesConnections(httpx.AsyncBaseTransport):
    """Loses the first connections, as a server does that closes an idle one while a request arrives."""

    def __init__(self, lost: int) -> None:
        self.lost = lost
        self.requests: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.method)
        if len(self.requests) <= self.lost:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return httpx.Response(200, json={"case": "a"})


def client(transport: httpx.AsyncBaseTransport) -> ServiceClient:
    return ServiceClient({"sla": "http://sla.test"}, 1.0, transport)


async def test_a_read_is_sent_once_more() -> None:
    transport = _LosesConnections(1)
    assert await client(transport).get("sla", "/v1/cases/a", "token") == {"case": "a"}
    assert transport.requests == ["GET", "GET"]


async def test_a_read_is_not_sent_a_third_time() -> None:
    transport = _LosesConnections(2)
    with pytest.raises(ServiceUnavailableError):
        await client(transport).get("sla", "/v1/cases/a", "token")
    assert transport.requests == ["GET", "GET"]


async def test_a_write_is_left_to_the_person_since_it_may_have_been_carried_out() -> None:
    transport = _LosesConnections(1)
    with pytest.raises(ServiceUnavailableError):
        await client(transport).post("sla", "/v1/cases/a/actions", "token", {}, "key")
    assert transport.requests == ["POST"]
