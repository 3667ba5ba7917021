"""Three brokers that are controllers too, with three replicas of every partition, two of which must have a record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from deploy.embedded.kafka.server import KafkaServer
from deploy.embedded.ports import free_ports
from deploy.embedded.prepare import kafka_runtime

NODES = (1, 2, 3)


class KafkaCluster:
    """Runs for the length of a block; `nodes` are killed and started one by one."""

    def __init__(self, root: Path, ports: Sequence[tuple[int, int]] = (), advertised: Sequence[str] = ()) -> None:
        """`ports` are those of clients and of the controller for each node, `advertised` the listeners that clients connect to."""
        runtime = kafka_runtime(root / "tmp", lambda _: None)
        found = free_ports(2 * len(NODES))
        ports = ports or [*zip(found[::2], found[1::2], strict=True)]
        advertised = advertised or [f"CLIENTS://127.0.0.1:{clients}" for clients, _ in ports]
        shared = {
            "controller.quorum.voters": ",".join(f"{node}@127.0.0.1:{port}" for node, (_, port) in zip(NODES, ports, strict=True)),
            "offsets.topic.replication.factor": "3",
            "min.insync.replicas": "2",
        }
        self.nodes = {
            node: KafkaServer(root / f"node-{node}", runtime, shared | {"node.id": str(node), "advertised.listeners": listener}, own)
            for node, own, listener in zip(NODES, ports, advertised, strict=True)
        }
        self.bootstrap_servers = ",".join(server.bootstrap_servers for server in self.nodes.values())

    def __enter__(self) -> Self:
        for server in self.nodes.values():
            server.launch()
        for server in self.nodes.values():
            server.wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.nodes.values():
            server.kill()
