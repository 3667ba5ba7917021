"""Builds the image's stages by running the Dockerfile's own steps in root file systems, without a container engine."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy import create_venv
from tests.support.containers.dockerfile import Dockerfile, Instruction, Stage, expand
from tests.support.containers.root_files import BASE_PATH, PYTHON_HOME, Mount, RootFiles, base_image, run_in
from tests.support.repository import PROJECT

_NETWORK_FILES = ("/etc/resolv.conf", "/etc/hosts")


@dataclass
class Image:
    """A built stage: its root, and what its instructions set for containers."""

    root: RootFiles
    environment: dict[str, str]
    folder: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)


class ImageBuilder:
    """Builds stages on demand into `folder`; a stage that another one names is built first."""

    def __init__(self, dockerfile: Dockerfile, folder: Path, arguments: Mapping[str, str] | None = None) -> None:
        self._dockerfile = dockerfile
        self._folder = folder
        self._arguments = arguments or {}
        self._images: dict[str, Image] = {}

    def build(self, name: str) -> Image:
        """Return the image of a stage."""
        if name not in self._images:
            stage = self._dockerfile.stages[name]
            self._images[name] = image = self._start(stage)
            arguments: dict[str, str] = {}
            for instruction in stage.instructions:
                self._follow(image, instruction, arguments)
        return self._images[name]

    def _start(self, stage: Stage) -> Image:
        """The image that the stage begins with: a copy of its parent's, or the base."""
        folder = self._folder / stage.name
        if stage.parent in self._dockerfile.stages:
            parent = self.build(stage.parent)
            copy_root(parent.root.folder, folder)
            return Image(RootFiles(folder, list(parent.root.mounts)), dict(parent.environment), parent.folder, parent.user)
        return Image(base_image(folder), {"PATH": BASE_PATH, "LANG": "C.UTF-8"})

    def _follow(self, image: Image, instruction: Instruction, arguments: dict[str, str]) -> None:
        variables = {**image.environment, **arguments}
        match instruction.keyword:
            case "ARG":
                key, _, default = instruction.words[0].partition("=")
                arguments[key] = self._arguments.get(key, default)
            case "ENV":
                for word in instruction.words:
                    key, _, value = word.partition("=")
                    image.environment[key] = expand(value, variables)
            case "WORKDIR":
                image.folder = instruction.arguments
                (image.root.folder / image.folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(image, instruction)
            case "RUN":
                self._run(image, instruction, variables)
            case "USER":
                image.user = instruction.arguments
            case "EXPOSE":
                image.ports += [int(word) for word in instruction.words]
            case "CMD":
                image.command = instruction.words
            case other:
                raise ValueError(f"the instruction {other} is unknown here: add it to {__name__}")

    def _copy(self, image: Image, instruction: Instruction) -> None:
        *sources, target = instruction.words
        origin = self.build(instruction.flag("from")[0]).root.folder if instruction.flag("from") else PROJECT
        destination = image.root.folder / str(Path("/", image.folder, target)).lstrip("/")
        for source in sources:
            path = origin / source.lstrip("/")
            if path.is_dir() and instruction.flag("from"):
                destination.rmdir()
                copy_root(path, destination)
            elif path.is_dir():
                shutil.copytree(path, destination, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place = destination / path.name if target.endswith("/") else destination
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)

    def _run(self, image: Image, instruction: Instruction, variables: Mapping[str, str]) -> None:
        mounts = [*image.root.mounts, *(Mount(Path(name), name) for name in _NETWORK_FILES)]
        # What a step installs into the image's Python stays in the stage; this machine's Python is not changed.
        mounts = [mount for mount in mounts if mount.source != PYTHON_HOME]
        mounts += [Mount(PYTHON_HOME, str(PYTHON_HOME), upper=image.root.folder.with_name(f"{image.root.folder.name}.python"))]
        mounts += [mount for text in instruction.flag("mount") for mount in _cache_mounts(text)]
        environment = {**_index_settings(), **variables, "HOME": "/root"}
        run_in(RootFiles(image.root.folder, mounts), ["/bin/sh", "-c", instruction.arguments], environment, image.folder)


def copy_root(source: Path, target: Path) -> None:
    """Copy a tree with its owners, by links: roots are read-only, and the environment has 15,000 files."""
    subprocess.run(["cp", "--archive", "--link", source, target], check=True)


def _cache_mounts(text: str) -> list[Mount]:
    """The cache of uv is this machine's own: `make setup` has filled it. No secret is given; the settings of pip are in the environment."""
    options = dict(part.split("=", 1) for part in text.split(","))
    if options["type"] == "cache" and options["target"].endswith("/uv"):
        uv = str(create_venv.UV_FOLDER / "bin" / "uv")
        cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
        return [Mount(Path(cache), options["target"], read_only=False)]
    return []


def _index_settings() -> dict[str, str]:
    """Variables of pip and uv on this machine, without which its package index may be out of reach."""
    names = ("PIP_", "UV_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy")
    given = {key: value for key, value in os.environ.items() if key.startswith(names)}
    settings = {**create_venv._pip_settings(), **given}
    if str(PYTHON_HOME) == "/usr":
        settings["PIP_BREAK_SYSTEM_PACKAGES"] = "1"
    return settings
