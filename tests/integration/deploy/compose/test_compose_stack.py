"""The compose file's services run as it says, in root file systems and networks of their own: no container engine is at hand."""

import json
import re
import secrets
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
import yaml
from packaging.utils import canonicalize_name

from cli.service_names import SERVICES as OURS
from deploy.embedded.process import wait_until
from deploy.supply.sbom import image_extras, shipped_packages
from shared.contracts.topics import CASE_ACTIONS, CASE_EVENTS, COMPLAINT_EVENTS, COMPLAINT_SUBMISSIONS, NOTIFICATION_EVENTS, TRIAGE_EVENTS
from tests.support.containers.compose_file import ComposeService, read_compose
from tests.support.containers.dockerfile import read_dockerfile
from tests.support.containers.image import ImageBuilder
from tests.support.containers.networks import ComposeNetworks
from tests.support.containers.root_files import why_no_containers
from tests.support.containers.stack import ComposeStack
from tests.support.repository import PROJECT
from tests.support.servers.debian_packages import unpacked_program

REASON = why_no_containers()
pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(600)]

COMPOSE = PROJECT / "docker-compose.yml"
SERVERS = {"kafka", "postgres", "prometheus"}
"""Foreign images whose programs tests have or take from Debian; those of dashboards and alerts are left out."""
KEY = "test-only-key-of-the-hotline"
TOPICS = (COMPLAINT_SUBMISSIONS, COMPLAINT_EVENTS, TRIAGE_EVENTS, CASE_ACTIONS, CASE_EVENTS, NOTIFICATION_EVENTS)
BASE_LIBRARIES = {"libc", "libm", "libdl", "libpthread", "librt", "libgcc_s", "libstdc++", "libz", "libutil"}
"""What Debian's essential packages bring."""
JOBS = {"topics", *(f"migrate-{name}" for name in OURS)}
PROBES = ("/startup", "/live", "/ready")
ONE_COMPLAINT = {
    "external_id": "call-1",
    "received_at": "2026-11-27T05:30:00+08:00",
    "channel": "hotline",
    "complainant": {"name": "王先生", "phone": "13800000000"},
    "text": "3号楼电梯停运，老人下不了楼",
}


def variables(folder: Path) -> dict[str, str]:
    """What a person fills into `.env`, and an organisation with the key of its source."""
    organisation = yaml.safe_load((PROJECT / "deploy/compose/organisation.yaml").read_text(encoding="utf-8"))
    organisation["sources"][0]["key_sha256"] = [sha256(KEY.encode()).hexdigest()]
    file = folder / "organisation.yaml"
    file.write_text(yaml.safe_dump(organisation, allow_unicode=True), encoding="utf-8")
    needed = re.findall(r"\$\{(\w+):\?", COMPOSE.read_text(encoding="utf-8"))
    sealing = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    return {name: secrets.token_hex(24) for name in needed} | {"JIESU_SEALING_KEYS": sealing, "JIESU_ORGANISATION_FILE": str(file)}


def roots_folder() -> Path:
    """A folder in memory where there is room: 15,000 small files took two minutes on a busy disk, 10 s in memory."""
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() and shutil.disk_usage(memory).free > 3 * 2**30 else PROJECT / "var"
    folder = Path(tempfile.mkdtemp(prefix="jiesu-containers-", dir=parent))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    folder = roots_folder()
    prometheus = unpacked_program("prometheus", "prometheus")
    servers = SERVERS if prometheus else SERVERS - {"prometheus"}
    networks = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["networks"]
    services = {
        name: service
        for name, service in read_compose(COMPOSE, variables(folder)).items()
        if (service.stage or name in servers) and not service.document.get("profiles")
    }
    dockerfile = read_dockerfile((PROJECT / "deploy/docker/Dockerfile").read_text(encoding="utf-8"))
    running = ComposeStack(
        services,
        ComposeNetworks({name: bool(network.get("internal")) for name, network in networks.items()}),
        ImageBuilder(dockerfile, folder / "stages"),
        folder,
        prometheus,
    )
    try:
        running.start(300)
        yield running
    finally:
        running.close()
        shutil.rmtree(folder)


def request(stack: ComposeStack, service: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    """Call the container's published port as the machine does: from the network namespace that has the outer bridge."""
    [(_, _, port)] = stack.services[service].published
    address = stack.networks.addresses[service, "outside"]
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}

    def send() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://{address}:{port}{path}", data, headers), timeout=10) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    return stack.networks.host.call(send)


def receipts(stack: ComposeStack) -> int:
    """Messages that the gateway reported as delivered."""
    query = "SELECT count(*) FROM notify.delivery WHERE status = 'delivered'"
    done = stack.containers["postgres"].run(
        ["psql", "--host=/var/run/postgresql", "--username=postgres", "--dbname=jiesu", "--tuples-only", "--command", query]
    )
    return int(done.stdout)


def sinks_messages(stack: ComposeStack, name: str) -> list[dict[str, Any]]:
    path = stack.volume("sinks") / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def is_healthy(stack: ComposeStack, name: str) -> bool:
    return stack.check(name) == 0


def has_message(stack: ComposeStack, name: str, number: str) -> bool:
    return any(number in str(message) for message in sinks_messages(stack, name))


def test_every_service_starts_in_its_order_and_becomes_healthy(stack: ComposeStack) -> None:
    assert {name for name in stack.services if stack.containers[name].returncode == 0} == JOBS
    # Several attempts, as the file's `retries`: on a busy machine one can run out of its time.
    assert [name for name in set(stack.services) - JOBS if not wait_until(partial(is_healthy, stack, name), 60)] == []


def test_a_complaint_reaches_a_person_through_every_service_and_its_receipt_comes_back(stack: ComposeStack) -> None:
    status, answer = request(stack, "intake", "/v1/complaints", ONE_COMPLAINT)
    assert (status, json.loads(answer)["status"]) == (202, "registered")
    number = json.loads(answer)["number"]
    for file in ("mail.jsonl", "sms.jsonl"):
        reached = wait_until(partial(has_message, stack, file, number), 30)
        assert reached, (file, [stack.containers[name].output() for name in OURS])
    assert wait_until(lambda: receipts(stack) > 0, 20)


@pytest.mark.parametrize("service", [*OURS, "sinks"])
def test_a_process_runs_without_rights_and_within_its_memory(stack: ComposeStack, service: str) -> None:
    status = stack.containers[service].status
    assert status["Uid"].split() == ["10001"] * 4
    assert {status[kind] for kind in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert int(status["VmHWM"].split()[0]) * 1024 < stack.services[service].memory_limit()
    assert int(status["Threads"]) < int(stack.services[service].document.get("pids_limit", 200))


@pytest.mark.parametrize("service", [*OURS, "sinks"])
def test_a_container_can_write_only_where_the_file_allows_it(stack: ComposeStack, service: str) -> None:
    container = stack.containers[service]
    writable = [*stack.services[service].temporary, *(v.target for v in stack.services[service].volumes if not v.read_only)]
    for folder in ("/", "/opt/jiesu", "/etc", "/var/tmp", "/etc/jiesu"):
        assert container.run(["touch", f"{folder}/x"]).returncode != 0, folder
    assert "Read-only" in container.run(["touch", "/var/tmp/x"]).stderr
    for folder in writable:
        assert container.run(["touch", f"{folder}/x"]).returncode == 0, folder


@pytest.mark.parametrize("service", OURS)
def test_a_role_of_the_database_reads_its_own_schema_alone(stack: ComposeStack, service: str) -> None:
    url = stack.services[service].environment["DATABASE_URL"].replace("+asyncpg", "").replace("@postgres/", "@127.0.0.1/")
    for other in OURS:
        done = stack.containers["postgres"].run(["psql", url, "--command", f"SELECT count(*) FROM {other}.outbox"])
        assert (done.returncode == 0) is (other == service), done.stderr


def test_a_wrong_password_is_refused(stack: ComposeStack) -> None:
    done = stack.containers["postgres"].run(["psql", "postgresql://intake:wrong@127.0.0.1/jiesu", "--command", "SELECT 1"])
    assert "password authentication failed" in done.stderr


def published(services: dict[str, ComposeService]) -> set[str]:
    return {name for name, service in services.items() if service.published}


def test_published_ports_answer_and_nothing_else_is_in_reach_of_the_machine(stack: ComposeStack) -> None:
    reached = {name for name in stack.services if (name, "outside") in stack.networks.addresses}
    assert reached - {"triage"} == published(stack.services) >= {"intake", "sla", "notify"}
    for name in reached - {"prometheus", "triage"}:
        for path in PROBES:
            assert request(stack, name, path)[0] == 200, (name, path)
        [(address, _, port)] = stack.services[name].published
        assert address == "127.0.0.1"
        assert port in stack.builder.build("jiesu").ports


def test_the_smtp_and_sms_ports_of_the_sink_are_those_of_its_image(stack: ComposeStack) -> None:
    settings = stack.services["notify"].environment
    ports = {int(settings["JIESU_SMTP_PORT"]), int(settings["JIESU_SMS_URL"].rsplit(":", 1)[1])}
    assert ports == set(stack.builder.build("sinks").ports)


def test_a_health_check_fails_when_the_process_does_not_answer(stack: ComposeStack) -> None:
    check = stack.services["triage"].healthcheck
    assert stack.containers["triage"].run(check).returncode == 0
    # The same checks where nothing listens on the port.
    assert stack.containers["sinks"].run(check).returncode != 0
    assert stack.containers["triage"].run(stack.services["sinks"].healthcheck).returncode != 0


def test_topics_of_the_services_and_of_every_department_exist(stack: ComposeStack) -> None:
    code = (
        "import asyncio; from aiokafka.admin import AIOKafkaAdminClient as A\n"
        "async def main():\n  a = A(bootstrap_servers='kafka:9092'); await a.start(); print(*await a.list_topics()); await a.close()\n"
        "asyncio.run(main())"
    )
    done = stack.containers["triage"].run(["python", "-c", code])
    assert {*(topic.name for topic in TOPICS), "department-service_centre"} <= set(done.stdout.split()), done.stderr


def test_the_image_holds_the_packages_of_the_bill_of_materials_and_no_other(stack: ComposeStack) -> None:
    code = "from importlib.metadata import distributions as d; print(*sorted({f'{x.name} {x.version}' for x in d()}), sep='\\n')"
    done = stack.containers["triage"].run(["python", "-c", code])
    installed = {canonicalize_name(name): version for name, version in (line.split() for line in done.stdout.splitlines())}
    assert installed == {name: version(name) for name in shipped_packages("jiesu", image_extras())}


def test_libraries_of_the_image_need_nothing_that_a_slim_debian_lacks(stack: ComposeStack) -> None:
    done = stack.containers["sinks"].run(["sh", "-c", "find /opt/jiesu -name '*.so*' -type f -exec ldd {} +"], 60)
    needed = set(re.findall(r"^\s+(\S+?)\.so\S* => (?!/opt/jiesu/)", done.stdout, re.MULTILINE))
    assert {"libc", "libm"} <= needed <= BASE_LIBRARIES, done.stderr


def test_prometheus_finds_and_scrapes_every_service_by_its_name(stack: ComposeStack) -> None:
    if "prometheus" not in stack.services:
        pytest.skip("prometheus is not installed: apt-get install prometheus (tests take it out of the package as root on Debian)")

    def up() -> set[str]:
        status, answer = request(stack, "prometheus", "/api/v1/targets?state=active")
        assert status == 200
        return {target["labels"]["job"] for target in json.loads(answer)["data"]["activeTargets"] if target["health"] == "up"}

    assert wait_until(lambda: up() >= {*OURS, "prometheus"}, 45), up()


def test_every_process_ends_in_order_on_sigterm(stack: ComposeStack) -> None:
    assert stack.stop([*OURS, "sinks"]) == dict.fromkeys([*OURS, "sinks"], 0)
