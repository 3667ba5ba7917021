"""Missing programs are installed as root on Debian, and named with the remedy elsewhere."""

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
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The only folder of PATH, in which a test puts programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    java._java_version.cache_clear()
    yield folder
    java._java_version.cache_clear()


def write_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def set_system(monkeypatch: pytest.MonkeyPatch, *, root: bool, debian: bool) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(java, "_is_debian", lambda: debian)


@pytest.mark.parametrize(("root", "debian"), [(False, True), (True, False)])
def test_missing_java_is_reported_in_one_sentence_with_the_remedy(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch, *, root: bool, debian: bool
) -> None:
    set_system(monkeypatch, root=root, debian=debian)
    write_program(empty_path / "apt-get", "exit 0")
    with pytest.raises(
        EmbeddedServerError, match=r"^Java 17 or newer is missing: install it .*apt-get install openjdk-17-jre-headless.*\.$"
    ):
        java.ensure_java(print)


def test_missing_java_is_installed_as_root_on_debian_after_one_line_of_progress(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_system(monkeypatch, root=True, debian=True)
    java_path = empty_path / "java"
    write_program(empty_path / "fake-java", 'echo openjdk version \\"17.0.1\\" >&2')
    write_program(empty_path / "apt-get", f'case "$*" in *simulate*) ;; *install*) /bin/mv "{empty_path}/fake-java" "{java_path}";; esac')
    progress: list[str] = []
    assert java.ensure_java(progress.append) == str(java_path)
    assert progress == ["Java 17 or newer is missing: installing openjdk-17-jre-headless with apt-get."]


def test_java_is_not_installed_by_an_upgrade_of_an_installed_package(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_system(monkeypatch, root=True, debian=True)
    calls = empty_path / "calls"
    plan = "Inst libc6 [2.36-9] (2.36-10 Debian [amd64])"
    write_program(empty_path / "apt-get", f'echo "$*" >> "{calls}"; case "$*" in *simulate*) echo "{plan}";; esac')
    with pytest.raises(EmbeddedServerError, match=r"^Java 17 or newer is missing: install it"):
        java.ensure_java(print)
    assert [call for call in calls.read_text().splitlines() if "install" in call and "simulate" not in call] == []


def test_old_java_counts_as_missing(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_system(monkeypatch, root=False, debian=True)
    write_program(empty_path / "java", 'echo openjdk version \\"1.8.0_292\\" >&2')
    with pytest.raises(EmbeddedServerError, match=r"^Java 17 or newer is missing"):
        java.ensure_java(print)


def test_missing_maven_is_reported_in_one_sentence_with_the_remedy(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_system(monkeypatch, root=False, debian=True)
    assert empty_path.exists()
    with pytest.raises(EmbeddedServerError, match=r"^Maven is missing: install it .*apt-get install maven.*\.$"):
        java.ensure_maven(print)


def test_jar_with_another_checksum_is_refused(tmp_path: Path) -> None:
    for jar in distribution.ensure_jars(print):
        shutil.copy(jar, tmp_path)
    distribution._verify(tmp_path)
    changed_jar = next(tmp_path.glob("kafka-server-4*.jar"))
    changed_jar.write_bytes(changed_jar.read_bytes() + b"\0")
    with pytest.raises(EmbeddedServerError, match=changed_jar.name):
        distribution._verify(tmp_path)


async def test_postgresql_runs_where_user_namespaces_are_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root then runs it as `nobody` on copies; an ordinary user needs no namespace."""
    write_program(tmp_path / "unshare", "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    server = PostgresServer(tmp_path / "root only" / "postgres")
    (tmp_path / "root only").mkdir(mode=0o700)
    setup = unprivileged_setup(find_installation(), server.root)
    assert tuple(setup.wrapper[:1]) == (("setpriv",) if os.geteuid() == 0 else ())
    try:
        server.start()
        connection = await asyncpg.connect(asyncpg_dsn(server.database_url))
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    finally:
        server.stop()
        if setup.user_id is not None:
            shutil.rmtree(setup.data_home.parent)
