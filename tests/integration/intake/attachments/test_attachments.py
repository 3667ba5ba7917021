"""Attachments by HTTP: who may send them, what is taken, how they are named in a complaint, read, found changed, and erased."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.intake.attachments.setup import open_attachments
from services.intake.config import IntakeSettings
from shared.contracts.attachments import AttachmentKeys, ReadGrant, parse_reference
from shared.runtime.clock import Clock
from shared.runtime.service import Service
from tests.integration.intake.attachments.conftest import ATTACHMENT_KEY, JPEG, IntakeWith
from tests.integration.intake.conftest import query_rows
from tests.support.messaging.sample_organisation import submission_body
from tests.support.servers.clamd_peer import EICAR, ClamdPeer

KEYS = AttachmentKeys([ATTACHMENT_KEY])
DIGEST = sha256(JPEG).hexdigest()


async def upload(client: httpx.AsyncClient, content: bytes = JPEG, name: str = "现场.jpg") -> httpx.Response:
    return await client.post("/v1/attachments", params={"name": name}, content=content)


def stored_files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def address(seconds: float = 60, reference: str = "") -> str:
    named = parse_reference(reference) or KEYS.reference(DIGEST, "现场.jpg")
    return KEYS.read_path(ReadGrant(named.sha256, named.name, int(Clock().real_now().timestamp() + seconds), "li"))


async def test_file_is_stored_under_its_digest_and_named_in_a_complaint(intake_with: IntakeWith, store_folder: Path) -> None:
    async with intake_with() as (service, client):
        answer = await upload(client)
        assert answer.status_code == 201, answer.text
        stored = answer.json()
        assert (stored["sha256"], stored["media_type"], stored["size"]) == (DIGEST, "image/jpeg", len(JPEG))
        assert stored_files(store_folder) == [f"{DIGEST[:2]}/{DIGEST[2:]}"]
        forged = stored["reference"].replace("现场.jpg", "合同.jpg")
        registered = (
            await client.post("/v1/complaints", json=submission_body(attachments=[stored["reference"], forged, "说明.docx"]))
        ).json()
        assert registered["unreadable"] == ["attachments"]
        complaint = (await client.get(f"/v1/complaints/{registered['case']}")).json()["complaint"]
        assert complaint["attachments"] == [stored["reference"], "说明.docx"]
        [row] = await query_rows(service, "SELECT source, media_type, size FROM attachment")
        assert tuple(row) == ("web", "image/jpeg", len(JPEG))


async def test_same_content_is_stored_once_under_each_name(intake_with: IntakeWith, store_folder: Path) -> None:
    async with intake_with() as (_, client):
        first, second = await asyncio.gather(upload(client), upload(client, name="同一张.jpeg"))
    assert first.json()["sha256"] == second.json()["sha256"]
    assert second.json()["reference"].endswith("/同一张.jpeg")
    assert len(stored_files(store_folder)) == 1


async def test_name_does_not_make_a_document_a_photograph(intake_with: IntakeWith) -> None:
    async with intake_with() as (_, client):
        stored = (await upload(client, b"%PDF-1.4\n%%EOF", "现场.jpg")).json()
    assert (stored["media_type"], stored["name"]) == ("application/pdf", "现场.jpg.pdf")


async def test_person_uploads_with_his_token(intake_with: IntakeWith) -> None:
    async with intake_with() as (service, client):
        answer = await client.post("/v1/attachments?name=a.jpg", content=JPEG, headers={"Authorization": "Bearer li-token"})
        assert answer.status_code == 201
        assert [row["source"] for row in await query_rows(service, "SELECT source FROM attachment")] == ["person:li"]


async def endless(sent: list[int]) -> AsyncIterator[bytes]:
    while True:
        sent.append(65_536)
        yield bytes(65_536)


async def test_stranger_and_too_large_file_are_refused_before_they_are_read(intake_with: IntakeWith, store_folder: Path) -> None:
    async with intake_with(attachment_max_bytes=100_000) as (_, client):
        stranger = await client.post("/v1/attachments?name=a.jpg", content=JPEG, headers={"Authorization": "Bearer nobody"})
        declared = await client.post("/v1/attachments?name=a.jpg", content=JPEG + bytes(200_000))
        sent: list[int] = []
        try:
            chunked = await client.post("/v1/attachments?name=a.jpg", content=endless(sent))
            assert chunked.status_code == 413
        except httpx.TransportError:
            pass  # the connection was closed while the client was still sending
    assert (stranger.status_code, declared.status_code) == (401, 413)
    assert declared.json()["errors"] == [{"field": "attachment", "rule": "too_large", "remedy": "send at most 100000 bytes"}]
    assert sum(sent) < 50_000_000
    assert stored_files(store_folder) == []


@pytest.mark.parametrize(
    ("content", "rule"), [(b"", "empty"), (b"MZ\x90\0" + bytes(90), "type"), (b"<svg onload='x'>", "type"), (bytes(99), "type")]
)
async def test_other_contents_are_refused_with_rule_and_remedy(
    intake_with: IntakeWith, store_folder: Path, content: bytes, rule: str
) -> None:
    async with intake_with() as (_, client):
        answer = await upload(client, content)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:jiesu:problem:attachment_refused")
    [fault] = answer.json()["errors"]
    assert (fault["field"], fault["rule"]) == ("attachment", rule)
    assert stored_files(store_folder) == []


async def test_scanner_keeps_malicious_files_out_and_an_outage_of_it_refuses_for_now(intake_with: IntakeWith, store_folder: Path) -> None:
    async with ClamdPeer().serving() as peer, intake_with(attachment_clamd=peer.address) as (_, client):
        clean, infected = await upload(client), await upload(client, b"text " + EICAR)
    assert clean.status_code == 201
    assert (infected.status_code, infected.json()["errors"][0]["rule"]) == (422, "virus")
    assert "EICAR" not in infected.text
    assert stored_files(store_folder) == [f"{DIGEST[:2]}/{DIGEST[2:]}"]
    async with intake_with(attachment_clamd=peer.address) as (_, client):
        away = await upload(client, b"%PDF-1.4\n")
    assert (away.status_code, away.headers["retry-after"]) == (503, "1")
    assert len(stored_files(store_folder)) == 1


async def test_signed_address_reads_the_file_until_it_expires(intake_with: IntakeWith) -> None:
    async with intake_with() as (service, client):
        await upload(client)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}") as reader:
            answer = await reader.get(address())
            refused = [await reader.get(path) for path in (address(-1), address().replace("reader=li", "reader=zhao"), address() + "0")]
            absent = await reader.get(address(reference=str(KEYS.reference("0" * 64, "a.jpg"))))
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, JPEG, "image/jpeg")
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''%E7%8E%B0%E5%9C%BA.jpg"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [problem.status_code for problem in refused] == [403, 403, 403]
    assert absent.status_code == 404


async def test_changed_file_is_not_served(intake_with: IntakeWith, store_folder: Path) -> None:
    async with intake_with() as (_, client):
        await upload(client)
        path = store_folder / DIGEST[:2] / DIGEST[2:]
        path.write_bytes(JPEG + b"x")
        changed = await client.get(address())
        path.unlink()
        lost = await client.get(address())
        await upload(client)
        restored = await client.get(address())
    assert [(answer.status_code, answer.json()["type"]) for answer in (changed, lost)] == [
        (500, "urn:jiesu:problem:attachment_changed")
    ] * 2
    assert restored.content == JPEG


async def test_erased_file_leaves_when_and_why(intake_with: IntakeWith, settings: IntakeSettings, store_folder: Path) -> None:
    async with intake_with() as (service, client):
        await upload(client)
        configured = {"attachment_store": str(store_folder), "attachment_key": SecretStr(ATTACHMENT_KEY)}
        store = open_attachments(settings.model_copy(update=configured), service.database)
        assert store is not None
        assert await store.erase(DIGEST, "request of the complainant") is True
        assert await store.erase(DIGEST, "again") is False
        assert (await client.get(address())).status_code == 410
        assert stored_files(store_folder) == []
        [row] = await query_rows(service, "SELECT erased_because, erased_at IS NOT NULL AS erased FROM attachment")
        assert tuple(row) == ("request of the complainant", True)
        assert (await upload(client)).status_code == 422, "the same bytes do not undo an erasure"
        assert (await client.get(address())).status_code == 410


async def test_without_a_store_nothing_is_taken(intake: Service, web: httpx.AsyncClient) -> None:
    answers = [await upload(web), await web.get(address())]
    assert [(answer.status_code, answer.json()["type"]) for answer in answers] == [(404, "urn:jiesu:problem:no_attachments")] * 2
    assert intake.http_port
