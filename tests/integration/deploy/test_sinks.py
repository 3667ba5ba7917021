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
from tests.integration.notify.provider_peers import send_mail, sms_provider
from tests.support.repository import PROJECT


async def test_both_sinks_serve_keep_and_stop(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.sinks", "--folder", str(tmp_path), "--smtp-port", "0", "--sms-port", "0"),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        env={"JIESU_SMS_TOKEN": "a token"},
    )
    assert process.stdout is not None
    said = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    ports = [int(port) for port in re.findall(r":(\d+),", said)]
    assert len(ports) == 2
    gateway = sms_provider(ports[1])
    assert isinstance(await send_mail(ports[0], OutgoingMessage("k1", "li@example.com", "主题", "正文"), timeout=10), SendAccepted)
    assert isinstance(await gateway.send(OutgoingMessage("k2", "+8613800000001", "", "正文")), SendAccepted)
    await gateway.close()
    async with httpx.AsyncClient() as client:
        stranger = await client.post(f"http://127.0.0.1:{ports[1]}/v1/messages", json={}, headers={"idempotency-key": "k3"})
        assert (await client.get(f"http://127.0.0.1:{ports[1]}/live")).json() == {"kept": 1, "repeats": 0}
    assert stranger.status_code in {401, 422}
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    kept = {
        name: [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]
        for name in ("mail.jsonl", "sms.jsonl")
    }
    assert [(mail["to"], mail["subject"], mail["text"]) for mail in kept["mail.jsonl"]] == [(["li@example.com"], "主题", "正文\n")]
    assert [(sms["key"], sms["to"], sms["text"]) for sms in kept["sms.jsonl"]] == [("k2", "+8613800000001", "正文")]


async def test_the_gateway_wants_its_token_and_one_message_a_key(tmp_path: Path) -> None:
    async with SmsSink(tmp_path, token="right") as sink, httpx.AsyncClient(base_url=sink.url) as client:

        async def post(token: str, text: str) -> httpx.Response:
            headers = {"authorization": f"Bearer {token}", "idempotency-key": "k"}
            return await client.post("/v1/messages", json={"to": "+8613800000001", "text": text, "reference": "k"}, headers=headers)

        answers = [await post("wrong", "a"), await post("right", "a"), await post("right", "a"), await post("right", "another")]
    assert [answer.status_code for answer in answers] == [401, 202, 202, 422]
    assert answers[1].json() == answers[2].json()
    assert (len(sink.message_file.messages), sink.message_file.duplicates) == (1, 2)
