"""`/v1/receipts/{provider}`: each gateway reports in its own protocol, over HTTP, into a real database."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI

from services.notify import api_receipts
from services.notify.bootstrap import configured_providers
from services.notify.config import NotifySettings
from services.notify.providers.sms.twilio import sign_callback
from shared.runtime.database.database import Database
from shared.runtime.http.problem import add_problem_handlers
from tests.integration.notify.notify_process import NotifyProcess, notification_request
from tests.support.provider_peers.twilio import ACCOUNT, TwilioGateway

URL = "https://complaints.example.org/v1/receipts"
FILE = """
providers:
  - id: twilio-hk
    channel: sms
    kind: twilio
    settings: {account_sid: %s, auth_token_env: TWILIO_TOKEN, source: "+12125550100", url: %s}
"""


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[TwilioGateway]:
    async with TwilioGateway(tmp_path) as running:
        yield running


async def test_message_is_sent_by_the_file_and_settled_by_a_signed_callback(
    settings: NotifySettings, database: Database, gateway: TwilioGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_TOKEN", "12345")
    path = tmp_path / "providers.yaml"
    path.write_text(FILE % (ACCOUNT, gateway.url), encoding="utf-8")
    with_file = settings.model_copy(update={"providers": path, "receipts_url": URL})
    pools = configured_providers(with_file, NotifyProcess(settings, database, []).clock)
    process = NotifyProcess(settings, database, pools)
    app = FastAPI()
    api_receipts.add_routes(app, process.receipts, pools[0].providers, process.clock)
    add_problem_handlers(app, lambda _problem: None)
    await process.record_requests(notification_request(by=["sms"]))
    await process.run_cycle("sms")
    [sent] = gateway.message_file.messages.values()
    callback = str(sent["callback"])
    assert callback.startswith(f"{URL}/twilio-hk?key=")
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://complaints.example.org") as client:

        async def report(path: str, signature: str) -> httpx.Response:
            headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
            return await client.post(path, content=urlencode(fields), headers=headers)

        forged = await report(callback, "no")
        unknown = await report(f"{URL}/nobody", "no")
        recorded = await report(callback, sign_callback("12345", callback, fields.items()))
    assert (forged.status_code, unknown.status_code, recorded.status_code) == (401, 404, 200)
    assert "x-twilio-signature: must be" in forged.json()["detail"]
    events = await process.outbox_events()
    assert [(event["type"], event["provider"], event["parts"]) for event in events] == [
        ("sent", "twilio-hk", 1),
        ("delivered", "twilio-hk", 1),
    ]
    await process.close()
