"""`make audit` tells a clean result from one that nothing follows from; the advisory service is a server of the test."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.ports import free_ports
from deploy.supply.audit import CLEAN, UNKNOWN, VULNERABLE, audit, read_report

Answer = Callable[[str], dict[str, Any]]


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text("".join(f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in ("alpha", "beta")))
    return path


@pytest.fixture
def service() -> Iterator[Callable[[Answer], str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = json.dumps(answer(query["package"]["name"])).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def osv(url: str) -> list[str]:
    return ["--vulnerability-service", "osv", "--osv-url", url]


def fault_of(name: str) -> dict[str, Any]:
    affected = {"package": {"name": name, "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "1.1"}]}]}
    return {"id": f"PYSEC-1-{name}", "details": "a fault", "published": "2026-01-01T00:00:00Z", "affected": [affected]}


def test_packages_without_faults_end_with_0(locked: Path, service: Callable[[Answer], str]) -> None:
    result = audit(locked, osv(service(lambda _: {})))
    assert (result.status, result.lines) == (CLEAN, ("No known vulnerability in the 2 packages of requirements.lock.",))


def test_a_known_fault_ends_with_1_and_names_the_fixed_version(locked: Path, service: Callable[[Answer], str]) -> None:
    result = audit(locked, osv(service(lambda name: {"vulns": [fault_of(name)]} if name == "beta" else {})))
    assert (result.status, result.lines) == (
        VULNERABLE,
        ("1 known vulnerabilities in requirements.lock:", "beta 1.0: PYSEC-1-beta, fixed in 1.1"),
    )


def test_a_service_out_of_reach_ends_with_2_and_says_that_nothing_was_audited(locked: Path) -> None:
    [port] = free_ports(1)
    result = audit(locked, osv(f"http://127.0.0.1:{port}"))
    assert result.status == UNKNOWN
    assert result.lines[0].startswith("Nothing was audited: the advisory service cannot be reached; check the network")


def test_packages_that_the_service_does_not_know_end_with_2() -> None:
    # The form of pip-audit 2.10 for a package index that is a mirror without advisories, where it ends with 0 by itself.
    report = {"dependencies": [{"name": "alpha", "skip_reason": "Dependency not found"}, {"name": "beta", "version": "1.0", "vulns": []}]}
    result = read_report(json.dumps(report), "", "requirements.lock")
    assert result.status == UNKNOWN
    assert result.lines[0].startswith("1 of 2 packages were not audited: the advisory service does not know them (alpha); ")


def test_a_fault_outweighs_packages_that_are_not_known() -> None:
    vulnerable = {"name": "beta", "version": "1.0", "vulns": [{"id": "X-1", "fix_versions": []}]}
    result = read_report(json.dumps({"dependencies": [vulnerable, {"name": "alpha", "skip_reason": "?"}]}), "", "lock")
    assert (result.status, result.lines[1]) == (VULNERABLE, "beta 1.0: X-1, no fixed version")
