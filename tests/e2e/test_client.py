"""The client's wheel alone, in an environment of its own, runs the programs of the guide against all services."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from tests.support.messaging.workload import ORGANISATION
from tests.support.repository import PROJECT
from tests.support.servers.session_servers import FAST_POSTGRES_SETTINGS, print_progress, temporary_folder
from tests.support.waiting import wait_for
from tests.support.wheels import build_wheel, install_wheel, required_packages

EXAMPLES = PROJECT / "client" / "examples"
SECRETS: dict[str, Any] = yaml.safe_load((PROJECT / "deploy/demo/secrets.yaml").read_text(encoding="utf-8"))
DEPARTMENT, HANDLER = "property_engineering", SECRETS["people"]["guo-qiang"]
TOPIC = f"department-{DEPARTMENT}"
WEBHOOK_SECRET = "whsec_" + "a" * 32


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    root = tmp_path_factory.mktemp("client")
    with (
        temporary_folder(root) as folder,
        EmbeddedServers(folder, progress=print_progress, postgres_settings=FAST_POSTGRES_SETTINGS) as servers,
    ):
        environment = {**servers.environment, "DATABASE_URL": recreate_database(servers.database_url, "client")}
        with running_stack(root / "stack", environment, ORGANISATION) as running:
            yield running


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the client and what it requires, and nothing else of the platform."""
    root = tmp_path_factory.mktemp("wheel")
    wheel = build_wheel(PROJECT / "client", root / "dist")
    needed = {"pydantic", "httpx", "cryptography", "aiokafka"}
    return install_wheel(wheel, root / "environment", needed | required_packages(*needed, "aiokafka[lz4]"))


def variables(stack: Stack, **more: str) -> dict[str, str]:
    addresses = {"INTAKE": stack.url("intake"), "SLA": stack.url("sla")}
    return {"PATH": os.environ["PATH"], "KAFKA_BOOTSTRAP_SERVERS": stack.environment["KAFKA_BOOTSTRAP_SERVERS"], **addresses, **more}


@contextmanager
def running(command: Sequence[object], environment: dict[str, str], folder: Path) -> Iterator[Callable[[str], bool]]:
    """A program in the background; yields whether its output contains a text."""
    output = folder / f"{Path(str(command[-1])).name}.out"
    with output.open("wb") as file:
        process = subprocess.Popen([*map(str, command)], env=environment, cwd=folder, stdout=file, stderr=file)
    try:
        yield lambda text: text in output.read_text(encoding="utf-8") or _raise_if_ended(process, output)
    finally:
        process.terminate()
        process.wait(20)


def _raise_if_ended(process: subprocess.Popen[bytes], output: Path) -> bool:
    assert process.poll() is None, output.read_text(encoding="utf-8")
    return False


def run(python: Path, program: str, environment: dict[str, str], folder: Path) -> str:
    command = [str(python), str(EXAMPLES / program)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_has_nothing_of_the_platform_but_the_contracts(python: Path) -> None:
    names = "import importlib.util as u; print([n for n in ('shared', 'services', 'cli', 'sqlalchemy') if u.find_spec(n)])"
    assert subprocess.run([python, "-I", "-c", names], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    typed = "from jiesu_client.events import EVENT_CLASSES, Routed; print(Routed.name, len(EVENT_CLASSES) > 80)"
    assert subprocess.run([python, "-I", "-c", typed], capture_output=True, text=True, check=True).stdout.strip() == "routed True"


@pytest.mark.timeout(240)
def test_programs_of_the_guide_submit_act_read_and_pass_events_on(stack: Stack, python: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    department = variables(stack, DEPARTMENT=DEPARTMENT, TOKEN=HANDLER["token"])
    webhooks = {
        "JIESU_WEBHOOK_TOPIC": TOPIC,
        "JIESU_WEBHOOK_URL": f"http://127.0.0.1:{port}/",
        "JIESU_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    relay = [python.with_name("jiesu-webhooks"), "run"]
    with (
        running([python, EXAMPLES / "receive_webhooks.py"], variables(stack, SECRET=WEBHOOK_SECRET, PORT=port), tmp_path) as received,
        running(relay, variables(stack, **webhooks), tmp_path),
        running([python, EXAMPLES / "department.py"], department, tmp_path) as read,
    ):
        key = SECRETS["sources"]["property-hotline"]["api_key"]
        submitted = run(python, "submit.py", variables(stack, KEY=key), tmp_path)
        again = run(python, "submit.py", variables(stack, KEY=key), tmp_path)
        case = submitted.split()[2]
        assert submitted.startswith("registered ")
        assert again.startswith("duplicate ")
        assert again.split()[1:3] == submitted.split()[1:3]
        assert "refused: 422" in submitted, "an empty text"
        official = SECRETS["sources"]["telecom-official"]
        signed = variables(stack, SOURCE="telecom-official", KEY_ID=official["key_id"], PRIVATE_KEY=official["private"])
        assert run(python, "submit_by_kafka.py", signed, tmp_path) == "sent\n"
        asyncio.run(wait_for(lambda: read(f"work_started {case}"), 60, "the department's own action on its topic"))
        person = variables(stack, PERSON="guo-qiang", KEY_ID=HANDLER["key_id"], PRIVATE_KEY=HANDLER["private"], CASE=case)
        assert run(python, "act_by_kafka.py", person, tmp_path).startswith("sent ")
        asyncio.run(wait_for(lambda: received(f"work_started {case}"), 60, "the event as a webhook"))
    dead = subprocess.run([str(relay[0]), "dead-letters"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert dead.stdout == ""


@pytest.mark.timeout(240)
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed: the program in JavaScript was not run")
def test_a_program_in_javascript_with_types_from_the_documents_reads_and_acts(stack: Stack, python: Path, tmp_path: Path) -> None:
    folder = tmp_path / "javascript"
    shutil.copytree(EXAMPLES / "javascript", folder, ignore=shutil.ignore_patterns("node_modules", "*.d.ts"))
    environment = {**os.environ, **variables(stack, DEPARTMENT=DEPARTMENT, TOKEN=HANDLER["token"])}
    asyncapi = str(PROJECT / "docs" / "reference" / "asyncapi.json")
    for command in (
        ["npm", "ci", "--no-audit", "--no-fund"],
        ["node", "generate.mjs", asyncapi, stack.url("sla")],
        ["npm", "run", "check"],
    ):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    with running(["node", "department.mjs"], environment, folder) as read:
        complaint = {"external_id": "from-js", "received_at": "2026-11-23T05:30:00+08:00", "text": "2号楼电梯停运"}
        one = "import asyncio, json, sys; from jiesu_client import IntakeClient; i = IntakeClient(sys.argv[1], sys.argv[2]); "
        one += "print(asyncio.run(i.submit(json.loads(sys.argv[3]))).case)"
        key = SECRETS["sources"]["property-hotline"]["api_key"]
        command = [str(python), "-c", one, stack.url("intake"), key, json.dumps(complaint)]
        case = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        asyncio.run(wait_for(lambda: read(f"started {case}"), 60, "the program's action"))
