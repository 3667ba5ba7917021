"""The steps of the images of Kafka and PostgreSQL, as their documentation describes them, on the programs that tests have."""

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.embedded.kafka import distribution, java
from deploy.embedded.postgres.server import find_installation
from tests.support.containers.image import Image
from tests.support.containers.root_files import BASE_PATH, Mount, base_image
from tests.support.servers.maven_jar import fetch_jar
from tests.support.servers.session_servers import print_progress

KAFKA_USER, POSTGRES_USER, NOBODY = 1000, 999, 65534
_TOOLS = Path(__file__).parents[1] / "servers/kafka_tools"
# kafka-run-class.sh: the health check's own process takes the broker's KAFKA_HEAP_OPTS unless they are set for it.
_TOOL = """#!/bin/sh
exec {java} ${{KAFKA_HEAP_OPTS:--Xmx256M}} -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' \\
  org.apache.kafka.tools.BrokerApiVersionsCommand "$@"
"""
_KAFKA_START = """#!/bin/sh
set -e
{java} -Xmx128m -cp '/opt/kafka/libs/*' kafka.tools.StorageTool \\
  format --ignore-formatted -t "$CLUSTER_ID" -c /opt/kafka/config/server.properties
exec {java} $KAFKA_HEAP_OPTS -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' kafka.Kafka /opt/kafka/config/server.properties
"""
# docker-entrypoint.sh of the official image: set up with a server on the socket alone, run the scripts, then serve.
_POSTGRES_START = """#!/bin/sh
set -eu
export PGDATA=/var/lib/postgresql/18/docker PGHOST=/var/run/postgresql
printf '%s\\n' "$POSTGRES_PASSWORD" > /tmp/pw
initdb -D "$PGDATA" --username="$POSTGRES_USER" --pwfile=/tmp/pw --no-sync $POSTGRES_INITDB_ARGS
printf '\\nhost all all all scram-sha-256\\n' >> "$PGDATA/pg_hba.conf"
pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -c unix_socket_directories=$PGHOST" start
createdb --username "$POSTGRES_USER" "$POSTGRES_DB"
for script in /docker-entrypoint-initdb.d/*.sh; do sh "$script"; done
pg_ctl -D "$PGDATA" -m fast -w stop
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories="$PGHOST" -c fsync=off
"""
_SETTINGS_OF_THE_VIRTUAL_MACHINE = {"KAFKA_HEAP_OPTS"}


def kafka_image(folder: Path, environment: Mapping[str, str]) -> Image:
    """Apache Kafka with the properties that its image makes of `KAFKA_…` variables."""
    program = Path(java.ensure_java(print_progress)).resolve()
    root = base_image(folder)
    if not program.is_relative_to("/usr"):
        root.mounts.append(Mount(program.parents[1], str(program.parents[1])))
    # Debian keeps a virtual machine's own settings there.
    root.mounts.extend(Mount(place, str(place)) for place in Path("/etc").glob("java*"))
    for jar in [*distribution.ensure_jars(print_progress), fetch_jar(_TOOLS)]:
        root.mounts.append(Mount(jar, f"/opt/kafka/libs/{jar.name}"))
    _write_program(folder / "opt/kafka/bin/kafka-broker-api-versions.sh", _TOOL.format(java=program))
    _write_program(folder / "opt/kafka/start.sh", _KAFKA_START.format(java=program))
    (folder / "opt/kafka/config").mkdir()
    lines = [f"{key}={value}" for key, value in kafka_properties(environment).items()]
    (folder / "opt/kafka/config/server.properties").write_text("\n".join(lines))
    _give(folder / "var/lib/kafka/data", KAFKA_USER)
    return Image(root, {"PATH": BASE_PATH, "HOME": "/tmp"}, "/", f"{KAFKA_USER}:{KAFKA_USER}", ["/opt/kafka/start.sh"])


def kafka_properties(environment: Mapping[str, str]) -> dict[str, str]:
    """The rule of the image: `KAFKA_NODE_ID` is `node.id`."""
    names = (name for name in environment if name.startswith("KAFKA_") and name not in _SETTINGS_OF_THE_VIRTUAL_MACHINE)
    return {name.removeprefix("KAFKA_").lower().replace("_", "."): environment[name] for name in names}


def postgres_image(folder: Path) -> Image:
    """PostgreSQL with the steps of its image's entry point; `fsync` is off, since no machine fails in tests."""
    installation = find_installation()
    packages = installation.parents[1]
    root = base_image(folder)
    # The programs find their libraries by a path relative to themselves.
    libraries = packages / f"{installation.parent.name}.libs"
    root.mounts.extend(Mount(place, f"/opt/postgres/{place.name}") for place in (installation.parent, libraries) if place.exists())
    for file, line in (
        ("passwd", f"postgres:x:{POSTGRES_USER}:{POSTGRES_USER}::/tmp:/bin/sh\n"),
        ("group", f"postgres:x:{POSTGRES_USER}:\n"),
    ):
        with (folder / "etc" / file).open("a") as accounts:
            accounts.write(line)
    _write_program(folder / "docker-entrypoint.sh", _POSTGRES_START)
    _give(folder / "var/lib/postgresql", POSTGRES_USER)
    environment = {
        "PATH": f"/opt/postgres/{installation.parent.name}/{installation.name}/bin:{BASE_PATH}",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
    }
    return Image(root, environment, "/", f"{POSTGRES_USER}:{POSTGRES_USER}", ["/docker-entrypoint.sh"])


def prometheus_image(folder: Path, program: Path) -> Image:
    """Prometheus as its image has it: the program is the entry point, to which the compose file's command is added."""
    root = base_image(folder)
    root.mounts.append(Mount(program, "/opt/prometheus"))
    _give(folder / "prometheus", NOBODY)
    return Image(root, {"PATH": BASE_PATH}, "/prometheus", f"{NOBODY}:{NOBODY}", entrypoint=["/opt/prometheus"])


def _write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _give(folder: Path, user: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, user, user)
