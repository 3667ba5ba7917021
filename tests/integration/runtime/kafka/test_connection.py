"""A broker with SASL accepts the right password, and a wrong one is reported as such."""

import asyncio
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from deploy.embedded import EmbeddedServers
from deploy.embedded.ports import free_ports
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.runtime.probe_service import INPUTS, OUTPUT, ProbeHandler, build_service
from tests.integration.runtime.test_outages import add_messages, wait_until_outbox_empty
from tests.support.waiting import wait_for


def guarded(clients: int, controller: int, secure: int) -> dict[str, str]:
    """Properties that add a listener with SASL beside the open one."""
    return {
        "listeners": f"CLIENTS://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller},SECURE://127.0.0.1:{secure}",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{clients},SECURE://127.0.0.1:{secure}",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": (
            'org.apache.kafka.common.security.plain.PlainLoginModule required user_jiesu="right";'
        ),
    }


@pytest.fixture
async def secured(settings: RuntimeSettings, own_servers: Callable[..., EmbeddedServers]) -> RuntimeSettings:
    clients, controller, secure = free_ports(3)
    properties = guarded(clients, controller, secure)

    await asyncio.to_thread(own_servers, postgres=False, kafka_properties=properties, kafka_ports=(clients, controller))
    await apply_topics(settings.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{clients}"}), [*INPUTS, OUTPUT])
    return settings.model_copy(
        update={
            "kafka_bootstrap_servers": f"127.0.0.1:{secure}",
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_username": "jiesu",
            "kafka_password": SecretStr("right"),
        }
    )


async def test_the_right_password_works_and_a_wrong_one_is_named(secured: RuntimeSettings) -> None:
    async with build_service(secured, ProbeHandler()).running() as service:
        await add_messages(service, range(5))
        await wait_until_outbox_empty(service)

    wrong = build_service(secured.model_copy(update={"kafka_password": SecretStr("wrong")}), ProbeHandler())
    starting = asyncio.create_task(wrong.start())
    await wait_for(lambda: "refused user 'jiesu' (SaslAuthenticationFailed)" in wrong.health.troubles().get("consumer", ""))
    assert "JIESU_KAFKA_PASSWORD" in wrong.health.troubles()["consumer"]
    assert "wrong" not in str(wrong.health.troubles())
    wrong.stopping.set()
    await starting
    await wrong.stop()
