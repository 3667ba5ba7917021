"""A client that openapi-python-client generates from a service's document works against the service."""

import importlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.bootstrap import build
from services.intake.config import IntakeSettings
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from tests.support.messaging.sample_organisation import API_KEYS, ENCRYPTION_KEYS, write_organisation
from tests.support.messaging.settings import SettingsFactory

PACKAGE = "intake_client"


def generate_client(document: bytes, folder: Path) -> None:
    """Generate a package into the folder; a document with parts that cannot be generated fails the test."""
    (folder / "openapi.json").write_bytes(document)
    (folder / "config.yaml").write_text(f"package_name_override: {PACKAGE}\n", encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--config", "config.yaml"]
    # It formats what it generates with the ruff of this environment.
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [*command, "--output-path", PACKAGE, "--meta", "none", "--fail-on-warning"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def test_generated_client_submits_reads_and_understands_a_refusal(
    make_settings: SettingsFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(IntakeSettings, sealing_keys=ENCRYPTION_KEYS, organisation=write_organisation(tmp_path))
    await apply_topics(settings, [topics.COMPLAINT_SUBMISSIONS, topics.COMPLAINT_EVENTS])
    async with build(settings).running() as service:
        url = f"http://127.0.0.1:{service.http_port}"
        async with httpx.AsyncClient(base_url=url) as plain:
            generate_client((await plain.get("/openapi.json")).content, tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        generated: Any = importlib.import_module(f"{PACKAGE}.client")
        models: Any = importlib.import_module(f"{PACKAGE}.models")
        submit, get = (importlib.import_module(f"{PACKAGE}.api.complaints.{name}") for name in ("submit_complaint", "get_complaint"))
        async with generated.AuthenticatedClient(base_url=url, token=API_KEYS["web"]) as client:
            body = models.SubmitComplaintSubmission(received_at=datetime.now(UTC), text="3号楼电梯停运", external_id="A-1")
            registered = await submit.asyncio(client=client, body=body)
            repeated = await submit.asyncio(client=client, body=body, idempotency_key="k-1")
            found = await get.asyncio(registered.case, client=client)
            unknown = await get.asyncio("none", client=client)
    assert (registered.status, repeated.status, repeated.case) == ("registered", "duplicate", registered.case)
    assert (found.number, found.complaint.text) == (registered.number, "3号楼电梯停运")
    assert isinstance(unknown, models.Problem)
    assert (unknown.type_, unknown.errors[0].field) == ("urn:jiesu:problem:not_found", "id")
