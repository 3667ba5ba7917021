"""Runs the services of a compose file in the order of their conditions, as `docker compose up --wait` does."""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.process import wait_until
from tests.support.containers.compose_file import ComposeService, Volume
from tests.support.containers.container import Container
from tests.support.containers.foreign_images import kafka_image, postgres_image, prometheus_image
from tests.support.containers.image import Image, ImageBuilder, copy_root
from tests.support.containers.name_server import NAME_SERVER
from tests.support.containers.networks import ComposeNetworks, NetworkNamespace
from tests.support.containers.root_files import Mount, RootFiles
from tests.support.repository import PROJECT

_OUT_OF_TIME = 124
"""As of the program timeout."""


@dataclass
class ComposeStack:
    """The containers of `services` in `folder`."""

    services: dict[str, ComposeService]
    networks: ComposeNetworks
    builder: ImageBuilder
    folder: Path
    prometheus: Path | None = None

    def __post_init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self._healthy: set[str] = set()

    def start(self, seconds: float) -> None:
        """Start everything; raises AssertionError with the output of a container that ended or did not become healthy."""
        # Addresses first: the file of names is read when a container starts.
        members = {name: self.networks.attach(name, list(service.document["networks"])) for name, service in self.services.items()}
        for name, service in self.services.items():
            self.containers[name] = self._container(service, members[name])
        started: set[str] = set()
        end = time.monotonic() + seconds

        def advance() -> bool:
            for name in sorted(set(self.services) - started):
                if all(self.holds(other, condition) for other, condition in self.services[name].conditions.items()):
                    self.containers[name].start()
                    started.add(name)
            return len(started) == len(self.services) and all(self.holds(name, "settled") for name in self.services)

        assert wait_until(advance, end - time.monotonic()), f"not settled within {seconds} s: {self._unsettled(started)}"

    def holds(self, name: str, condition: str) -> bool:
        """Whether a condition of `depends_on` holds; `settled` is what `--wait` waits for: healthy, or ended well."""
        service, container = self.services[name], self.containers[name]
        if condition == "settled":
            condition = "service_healthy" if service.healthcheck else "service_completed_successfully"
        if container.returncode is not None and not (condition == "service_completed_successfully" and container.returncode == 0):
            raise AssertionError(f"{name} ended with {container.returncode}: {container.output()}")
        if condition == "service_completed_successfully":
            return container.returncode == 0
        if name not in self._healthy and container.started and self.check(name) == 0:
            self._healthy.add(name)
        return name in self._healthy

    def check(self, name: str) -> int:
        """Run the health check of a service in its container and return its exit status; as in an engine, one out of time has failed."""
        try:
            return self.containers[name].run(self.services[name].healthcheck, self.services[name].healthcheck_seconds()).returncode
        except subprocess.TimeoutExpired:
            return _OUT_OF_TIME

    def stop(self, names: Iterable[str]) -> dict[str, int]:
        """Stop services one after another; return their exit statuses."""
        return {name: self.containers[name].stop(self.services[name].grace_seconds()) for name in names}

    def close(self) -> None:
        """Kill what still runs and remove the networks."""
        for container in self.containers.values():
            if container.started:
                container.stop(0)
        self.networks.close()

    def volume(self, name: str) -> Path:
        """Folder of a named volume."""
        return self.folder / "volumes" / name

    def _container(self, service: ComposeService, network: NetworkNamespace) -> Container:
        image = self._image(service)
        folder = self.folder / "roots" / service.name
        folder.parent.mkdir(exist_ok=True)
        copy_root(image.root.folder, folder)
        mounts = [*image.root.mounts, *(self._volume_mount(volume, folder) for volume in service.volumes)]
        for name, text in (("hosts", "127.0.0.1 localhost\n"), ("resolv.conf", f"nameserver {NAME_SERVER}\noptions ndots:0\n")):
            file = self.folder / f"{service.name}.{name}"
            file.write_text(text)
            mounts.append(Mount(file, f"/etc/{name}"))
        return Container(
            RootFiles(folder, mounts),
            network,
            [*image.entrypoint, *(service.command or image.command)],
            {**image.environment, **service.environment},
            self.folder / f"{service.name}.log",
            user=image.user,
            folder=image.folder,
            read_only=bool(service.document.get("read_only")),
            temporary=service.temporary,
        )

    def _image(self, service: ComposeService) -> Image:
        folder = self.folder / "images" / service.name
        if service.stage:
            return self.builder.build(service.stage)
        folder.mkdir(parents=True)
        match service.name:
            case "kafka":
                return kafka_image(folder, service.environment)
            case "postgres":
                return postgres_image(folder)
            case "prometheus" if self.prometheus is not None:
                return prometheus_image(folder, self.prometheus)
        raise AssertionError(f"no program is at hand for the image of {service.name}")

    def _volume_mount(self, volume: Volume, root: Path) -> Mount:
        if volume.source.startswith((".", "/")):
            return Mount((PROJECT / volume.source).resolve(), volume.target, volume.read_only)
        folder = self.volume(volume.source)
        folder.mkdir(parents=True, exist_ok=True)
        # A new named volume takes over the owner of the image's folder.
        inside = root / volume.target.lstrip("/")
        if inside.exists():
            os.chown(folder, inside.stat().st_uid, inside.stat().st_gid)
        return Mount(folder, volume.target, volume.read_only)

    def _unsettled(self, started: set[str]) -> Mapping[str, str]:
        waiting = dict.fromkeys(set(self.services) - started, "not started")
        return waiting | {name: self.containers[name].output() for name in started if not self.holds(name, "settled")}
