"""Reads the instructions of a Dockerfile, by stage."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Instruction:
    """One instruction with its flags (`--from=build`) taken off its arguments."""

    keyword: str
    arguments: str
    flags: tuple[str, ...] = ()

    def flag(self, name: str) -> list[str]:
        """Values of the flag, one for each time that it is given."""
        return [value for flag in self.flags for key, _, value in [flag.removeprefix("--").partition("=")] if key == name]

    @property
    def words(self) -> list[str]:
        """Arguments as words, also of the JSON form."""
        return list(json.loads(self.arguments)) if self.arguments.startswith("[") else shlex.split(self.arguments)


@dataclass
class Stage:
    """A stage: the image or stage that it starts from, and its instructions in order."""

    name: str
    parent: str
    instructions: list[Instruction] = field(default_factory=list)

    def named(self, keyword: str) -> list[Instruction]:
        """Instructions with this keyword."""
        return [instruction for instruction in self.instructions if instruction.keyword == keyword]


@dataclass(frozen=True)
class Dockerfile:
    """Global arguments with their defaults, and the stages in order."""

    arguments: dict[str, str]
    stages: dict[str, Stage]


def read_dockerfile(text: str) -> Dockerfile:
    """Read the file; raises ValueError for an instruction before the first stage that is not ARG."""
    arguments: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for instruction in _instructions(text):
        if instruction.keyword == "FROM":
            parent, _, name = instruction.words
            stage = stages[name] = Stage(name, expand(parent, arguments))
        elif stage is not None:
            stage.instructions.append(instruction)
        elif instruction.keyword == "ARG":
            key, _, value = shlex.split(instruction.arguments)[0].partition("=")
            arguments[key] = value
        else:
            raise ValueError(f"{instruction.keyword} stands before the first FROM")
    return Dockerfile(arguments, stages)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$NAME` and `${NAME}`; raises KeyError for a variable that is not set, where a builder would insert nothing."""
    return _VARIABLE.sub(lambda match: variables[match[1] or match[2]], text)


def _instructions(text: str) -> list[Instruction]:
    # Comment lines are removed before lines are joined, as the reference of the format defines it.
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [_instruction(line) for line in joined.splitlines()]


def _instruction(line: str) -> Instruction:
    keyword, _, rest = line.partition(" ")
    flags = []
    while match := re.match(r"\s*(--[a-z]+=\S+)\s+", rest):
        flags.append(match[1])
        rest = rest[match.end() :]
    return Instruction(keyword, rest.strip(), tuple(flags))
