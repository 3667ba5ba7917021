"""S3Proxy: a real S3-compatible server that checks signatures, on a folder."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.embedded.ports import free_ports
from tests.support.servers.maven_jars import fetch_jars

ACCESS_KEY, SECRET_KEY, BUCKET = "test-key", "test-secret", "attachments"


@dataclass(frozen=True)
class S3Server:
    """A running S3Proxy; `folder` holds the objects of its bucket as files."""

    endpoint: str
    folder: Path


@contextmanager
def running_s3proxy(root: Path) -> Iterator[S3Server]:
    """S3Proxy with one bucket, until the end of the block."""
    jars = fetch_jars(Path(__file__).parent)
    [port] = free_ports(1)
    endpoint, folder = f"http://127.0.0.1:{port}", root / BUCKET
    folder.mkdir(parents=True)
    settings = {
        "s3proxy.endpoint": endpoint,
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": ACCESS_KEY,
        "s3proxy.credential": SECRET_KEY,
        "jclouds.provider": "filesystem",
        "jclouds.filesystem.basedir": str(root),
        # Jetty logs every step at DEBUG otherwise.
        "LOG_LEVEL": "warn",
    }
    properties = root / "s3proxy.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    java = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", ":".join(map(str, jars))]
    with (root / "s3proxy.log").open("wb") as output:
        process = subprocess.Popen([*java, "org.gaul.s3proxy.Main", "--properties", str(properties)], stdout=output, stderr=output)
        try:
            _wait_until_served(process, endpoint)
            yield S3Server(endpoint, folder)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_served(process: "subprocess.Popen[bytes]", endpoint: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(endpoint)
        except httpx.TransportError:
            assert process.poll() is None, "S3Proxy ended while starting"
            assert time.monotonic() < deadline, "S3Proxy does not answer"
            time.sleep(0.1)
        else:
            return
