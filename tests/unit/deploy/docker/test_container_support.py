"""What tests imitate of a container engine: the Dockerfile's syntax, images of known instructions only, and names."""

import struct
from pathlib import Path

import pytest

from tests.support.containers.dockerfile import expand, read_dockerfile
from tests.support.containers.image import ImageBuilder
from tests.support.containers.name_server import answer

TEXT = """\
# a comment
ARG BASE=debian:12
FROM ${BASE} AS build
RUN --mount=type=cache,target=/c --mount=type=secret,id=a,target=/a \\
    # a comment between continued lines
    one && \\
    two "$HOME"
FROM build AS last
CMD ["a b", "c"]
"""


def test_stages_instructions_flags_and_continued_lines_are_read() -> None:
    file = read_dockerfile(TEXT)
    assert file.arguments == {"BASE": "debian:12"}
    assert {name: stage.parent for name, stage in file.stages.items()} == {"build": "debian:12", "last": "build"}
    [step] = file.stages["build"].named("RUN")
    assert step.flag("mount") == ["type=cache,target=/c", "type=secret,id=a,target=/a"]
    assert step.arguments == 'one && two "$HOME"'
    assert file.stages["last"].named("CMD")[0].words == ["a b", "c"]


def test_an_instruction_before_the_first_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="RUN stands before the first FROM"):
        read_dockerfile("RUN true\nFROM a AS b\n")


def test_a_variable_that_is_not_set_is_refused() -> None:
    assert expand("/opt/$A:${B}", {"A": "1", "B": "2"}) == "/opt/1:2"
    with pytest.raises(KeyError):
        expand("$C", {})


def test_an_instruction_that_is_not_imitated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the instruction HEALTHCHECK is unknown here"):
        ImageBuilder(read_dockerfile("FROM debian AS a\nHEALTHCHECK NONE\n"), tmp_path).build("a")


def question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


@pytest.mark.parametrize(
    ("name", "kind", "code", "address"),
    [("sla", 1, 0, "172.30.1.4"), ("SLA", 1, 0, "172.30.1.4"), ("sla", 28, 0, ""), ("absent", 1, 3, ""), ("sla.example", 1, 3, "")],
)
def test_the_name_server_knows_addresses_of_services(name: str, kind: int, code: int, address: str) -> None:
    query = question(name, kind)
    reply = answer(query, {"sla": "172.30.1.4"})
    number, flags, questions, answers, _, _ = struct.unpack_from("!6H", reply)
    assert (number, flags & 0x800F, questions, answers) == (7, 0x8000 | code, 1, 1 if address else 0)
    assert reply[12 : len(query)] == query[12:]
    assert ".".join(map(str, reply[-4:])) == address or not address
