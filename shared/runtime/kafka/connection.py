"""Options of a Kafka connection, and the diagnosis of one that fails."""

import ssl
from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, KafkaError, TopicAuthorizationFailedError

from shared.runtime.kafka.broker_connection import use_broker_connection
from shared.runtime.process.settings import RuntimeSettings

use_broker_connection()
FORBIDDEN = (TopicAuthorizationFailedError, GroupAuthorizationFailedError)
FETCHER_OPTIONS = {"consumer_timeout_ms": 1000}
"""For consumers that stay open: the fetcher looks at every partition this often beside the events that wake it, by default at 200 ms."""


def connection_options(settings: RuntimeSettings) -> dict[str, Any]:
    """Keyword arguments of every aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_username
        options["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _tls_context(settings)
    return options


def missing_rule(user: str | None) -> str:
    """The permission that the user lacks."""
    return f"user {user or 'without a name'!r} lacks an access rule, `jiesu topics apply --acl --dry-run` shows which"


def options_for(bootstrap_servers: str) -> dict[str, Any]:
    """As `connection_options`, for these servers, with user and certificates from the environment."""
    return connection_options(RuntimeSettings(kafka_bootstrap_servers=bootstrap_servers))


def _tls_context(settings: RuntimeSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.kafka_ca_file or None)
    if settings.kafka_certificate_file:
        context.load_cert_chain(settings.kafka_certificate_file, settings.kafka_key_file or None)
    return context


async def diagnose_connection(settings: RuntimeSettings, wait_ms: int = 3000) -> str | None:
    """Why no server of the list can be used, in a sentence about the first; None when one answers.

    aiokafka's clients report `Unable to bootstrap` for a wrong password too; a single connection raises the cause.
    """
    first = ""
    for server in settings.kafka_bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        trouble = await _diagnose_server(settings, host, int(port), wait_ms)
        if trouble is None:
            return None
        first = first or trouble
    return first


async def _diagnose_server(settings: RuntimeSettings, host: str, port: int, wait_ms: int) -> str | None:
    options = connection_options(settings)
    del options["bootstrap_servers"]  # a single connection takes host and port
    try:
        connection = await create_conn(host, port, request_timeout_ms=wait_ms, client_id="jiesu-probe", **options)
    except ssl.SSLCertVerificationError as error:
        return (
            f"the certificate of the broker at {host}:{port} does not hold ({error.verify_message}): check JIESU_KAFKA_CA_FILE, and that "
            "KAFKA_BOOTSTRAP_SERVERS uses a name of the certificate"
        )
    except (KafkaConnectionError, OSError, TimeoutError) as error:
        return f"no broker answers at {host}:{port} ({type(error).__name__}): check KAFKA_BOOTSTRAP_SERVERS and that the broker runs"
    except KafkaError as error:
        if "Sasl" in type(error).__name__:
            return (
                f"the broker at {host}:{port} refused user {settings.kafka_username!r} ({type(error).__name__}): "
                "check JIESU_KAFKA_USERNAME, JIESU_KAFKA_PASSWORD and JIESU_KAFKA_SASL_MECHANISM"
            )
        return f"the broker at {host}:{port} answered {type(error).__name__}: check JIESU_KAFKA_SECURITY_PROTOCOL"
    await connection.close()
    return None
