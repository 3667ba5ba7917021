"""What the bare machine lacks is installed where that is ours to do, and named in one sentence where it is not."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.embedded import EmbeddedServerError, PostgresServer
from deploy.embedded.kafka import distribution, java
from deploy.embedded.postgres.server import find_installation
from deploy.embedded.postgres.unprivileged import unprivileged_setup
from tests.support.servers.databases import asyncpg_dsn


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine on whose PATH there is nothing but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    java._java_version.cache_clear()
    yield folder
    java._java_version.cache_clear()


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def pretend(monkeypatch: pytest.MonkeyPatch, *, root: bool, debian: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(java, "_is_debian", lambda: debian)


@pytest.mark.parametrize(("root", "debian"), [(False, True), (True, False)])
def test_missing_java_is_one_sentence_with_the_remedy(bare: Path, monkeypatch: pytest.MonkeyPatch, *, root: bool, debian: bool) -> None:
    pretend(monkeypatch, root=root, debian=debian)
    program(bare / "apt-get", "exit 0")
    with pytest.raises(
        EmbeddedServerError, match=r"^Java 17 or newer is missing: install it .*apt-get install openjdk-17-jre-headless.*\.$"
    ):
        java.ensure_java(print)


def test_missing_java_is_installed_on_debian_as_root_after_one_line(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, root=True, debian=True)
    fake = bare / "java"
    program(bare / "fake-java", 'echo openjdk version \\"17.0.1\\" >&2')
    program(bare / "apt-get", f'case "$*" in *install*) /bin/mv "{bare}/fake-java" "{fake}";; esac')
    told: list[str] = []
    assert java.ensure_java(told.append) == str(fake)
    assert told == ["Java 17 or newer is missing: installing openjdk-17-jre-headless with apt-get."]


def test_an_old_java_counts_as_missing(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, root=False, debian=True)
    program(bare / "java", 'echo openjdk version \\"1.8.0_292\\" >&2')
    with pytest.raises(EmbeddedServerError, match=r"^Java 17 or newer is missing"):
        java.ensure_java(print)


def test_missing_maven_is_one_sentence_with_the_remedy(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, root=False, debian=True)
    assert bare.exists()
    with pytest.raises(EmbeddedServerError, match=r"^Maven is missing: install it .*apt-get install maven.*\.$"):
        java.ensure_maven(print)


def test_a_jar_that_was_not_reviewed_is_refused(tmp_path: Path) -> None:
    for jar in distribution.ensure_jars(print):
        shutil.copy(jar, tmp_path)
    distribution._verify(tmp_path)
    victim = next(tmp_path.glob("kafka-server-4*.jar"))
    victim.write_bytes(victim.read_bytes() + b"\0")
    with pytest.raises(EmbeddedServerError, match=victim.name):
        distribution._verify(tmp_path)


async def test_postgresql_runs_where_user_namespaces_are_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root it then runs as `nobody` on copies; an ordinary user never needed the namespace."""
    program(tmp_path / "unshare", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    server = PostgresServer(tmp_path / "root only" / "postgres")
    (tmp_path / "root only").mkdir(mode=0o700)
    ground = unprivileged_setup(find_installation(), server.root)
    assert tuple(ground.wrapper[:1]) == (("setpriv",) if os.geteuid() == 0 else ())
    try:
        server.start()
        connection = await asyncpg.connect(asyncpg_dsn(server.database_url))
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    finally:
        server.stop()
        if ground.user_id is not None:
            shutil.rmtree(ground.data_home.parent)
