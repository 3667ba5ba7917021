"""The sinks as a separate process, as the compose file runs them."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path

import httpx

from deploy.sinks import SmsSink
from services.notify.providers.provider import OutgoingMessage, SendAccepted
from tests.support.provider_peers.http_sms import sms_provider
from tests.support.provider_peers.smtp import send_mail
from tests.support.repository import PROJECT


async def test_both_sinks_accept_and_store_messages_and_stop_on_sigterm(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.sinks", "--folder", str(tmp_path), "--smtp-port", "0", "--sms-port", "0"),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        env={"JIESU_SMS_TOKEN": "a token"},
    )
    assert process.stdout is not None
    startup_line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    ports = [int(port) for port in re.findall(r":(\d+),", startup_line)]
    assert len(ports) == 2
    gateway = sms_provider(ports[1])
    assert isinstance(await send_mail(ports[0], OutgoingMessage("k1", "li@example.com", "主题", "正文"), timeout=10), SendAccepted)
    assert isinstance(await gateway.send(OutgoingMessage("k2", "+8613800000001", "", "正文")), SendAccepted)
    await gateway.close()
    async with httpx.AsyncClient() as client:
        unauthorized = await client.post(f"http://127.0.0.1:{ports[1]}/v1/messages", json={}, headers={"idempotency-key": "k3"})
        assert (await client.get(f"http://127.0.0.1:{ports[1]}/live")).json() == {"kept": 1, "repeats": 0}
    assert unauthorized.status_code in {401, 422}
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    stored = {
        name: [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]
        for name in ("mail.jsonl", "sms.jsonl")
    }
    assert [(mail["to"], mail["subject"], mail["text"]) for mail in stored["mail.jsonl"]] == [(["li@example.com"], "主题", "正文\n")]
    assert [(sms["key"], sms["to"], sms["text"]) for sms in stored["sms.jsonl"]] == [("k2", "+8613800000001", "正文")]


async def test_gateway_requires_its_token_and_refuses_a_second_message_under_one_key(tmp_path: Path) -> None:
    async with SmsSink(tmp_path, token="right") as sink, httpx.AsyncClient(base_url=sink.url) as client:

        async def post(token: str, text: str) -> httpx.Response:
            headers = {"authorization": f"Bearer {token}", "idempotency-key": "k"}
            return await client.post("/v1/messages", json={"to": "+8613800000001", "text": text, "reference": "k"}, headers=headers)

        responses = [await post("wrong", "a"), await post("right", "a"), await post("right", "a"), await post("right", "another")]
    assert [response.status_code for response in responses] == [401, 202, 202, 422]
    assert responses[1].json() == responses[2].json()
    assert (len(sink.message_file.messages), sink.message_file.duplicates) == (1, 2)
