"""Broker and database as production has them: TLS, SCRAM users, an authorizer that denies by default, a role a service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from deploy.embedded import EmbeddedServers
from deploy.embedded.ports import free_ports


@dataclass(frozen=True)
class SecureServers:
    """The addresses of a running broker, the certificate of its authority, the passwords of its users; the URL of a database."""

    open_servers: str
    secure_servers: str
    authority: Path
    passwords: Mapping[str, str]
    database_url: str

    def options(self, user: str) -> dict[str, Any]:
        """Settings of a process that connects as `user`."""
        return {
            "kafka_bootstrap_servers": self.secure_servers,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_username": user,
            "kafka_password": SecretStr(self.passwords[user]),
            "kafka_ca_file": str(self.authority),
        }

    def database_of(self, role: str) -> str:
        """The URL of the database for a role; the embedded server trusts who reaches its private socket."""
        parts = urlsplit(self.database_url)
        return urlunsplit(parts._replace(netloc=f"{role}@"))


def start_secure_servers(own_servers: Callable[..., EmbeddedServers], folder: Path, users: list[str]) -> SecureServers:
    """Start a broker with these users, and PostgreSQL; who connects to the broker's open listener may do everything."""
    clients, controller, secure = free_ports(3)
    passwords = {user: f"secret-of-{user}" for user in users}
    authority, identity = _write_certificates(folder)
    properties = {
        "listeners": f"CLIENTS://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller},SECURE://127.0.0.1:{secure}",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{clients},SECURE://127.0.0.1:{secure}",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secure.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(identity),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": "User:ANONYMOUS",
    }
    servers = own_servers(kafka_properties=properties, kafka_ports=(clients, controller), kafka_users=passwords)
    return SecureServers(f"127.0.0.1:{clients}", f"127.0.0.1:{secure}", authority, passwords, servers.database_url)


def _write_certificates(folder: Path) -> tuple[Path, Path]:
    """The file of an authority's certificate, and that of the broker's key and certificate."""
    authority_key, broker_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jiesu test authority")])
    broker_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    authority = (
        _certificate(authority_name, authority_name, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    broker = (
        _certificate(broker_name, authority_name, broker_key)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    authority_file, broker_file = folder / "authority.pem", folder / "broker.pem"
    authority_file.write_bytes(authority.public_bytes(Encoding.PEM))
    key = broker_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    broker_file.write_bytes(key + broker.public_bytes(Encoding.PEM))
    return authority_file, broker_file


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
