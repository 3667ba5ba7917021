"""The settings that every service shares, read from the environment when built, never at import."""

from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class RuntimeSettings(BaseSettings):
    """Broker, database, clock and limits; variables carry the prefix JIESU_ but for the two that everybody knows."""

    model_config = SettingsConfigDict(env_prefix="JIESU_", populate_by_name=True, extra="ignore", validate_default=True)

    environment: Literal["development", "test", "demo", "production"] = Field("development", description="production: real clock only")
    clock: str = Field("", description="<domain origin>@<real origin>x<factor>; empty is real time")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    sealing_keys: SecretStr = Field(SecretStr(""), description="id:base64 of 32 bytes, comma separated; the first seals, all open")

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", validation_alias=AliasChoices("KAFKA_BOOTSTRAP_SERVERS"), description="host:port, comma separated"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field("PLAINTEXT", description="how to connect")
    kafka_sasl_mechanism: str = Field("SCRAM-SHA-512", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    kafka_username: str = Field("", description="principal for SASL")
    kafka_password: SecretStr = Field(SecretStr(""), description="its password")
    kafka_ca_file: str = Field("", description="authority that signed the brokers' certificates; empty: the system's")
    kafka_certificate_file: str = Field("", description="our certificate, for mutual TLS")
    kafka_key_file: str = Field("", description="its private key")
    topic_prefix: str = Field("", description="put before every topic and group; for tests and shared clusters")
    replication_factor: int = Field(1, description="copies of each topic that `jiesu topics apply` asks for; 3 in production")

    database_url: SecretStr = Field(
        SecretStr("postgresql+asyncpg://jiesu@127.0.0.1:5432/jiesu"),
        validation_alias=AliasChoices("DATABASE_URL"),
        description="PostgreSQL; each service uses the schema of its name",
    )
    database_pool: int = Field(6, ge=2, description="connections of one process")
    command_timeout: float = Field(30.0, gt=0, description="seconds that one statement may take")
    lock_timeout: float = Field(10.0, gt=0, description="seconds to wait for a row lock")
    idle_in_transaction_timeout: float = Field(30.0, gt=0, description="seconds until the database ends a transaction nobody works on")

    http_host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 in a container")
    http_port: int = Field(0, ge=0, le=65535, description="0 takes a free one")

    batch_size: int = Field(250, ge=1, description="records a transaction at most")
    batch_wait_ms: int = Field(20, ge=1, description="pause after a poll that brought no record")
    max_poll_interval_ms: int = Field(300_000, ge=1000, description="a batch is tried again for half of it, then readiness is red")
    breaker_run: int = Field(50, ge=0, description="bad records in a row that stop a partition; 0 switches the breaker off")
    breaker_share: float = Field(0.5, gt=0, le=1, description="share of bad records among the last 100 that stops a partition")
    clock_tolerance_ms: int = Field(100, ge=0, description="how far broker's and our clock may differ; timers wait that much longer")
    outbox_shards: int = Field(1, ge=1, le=64, description="relays that may work side by side; the same in every process of a service")
    outbox_poll_ms: int = Field(100, ge=1, description="how soon the relay looks again unasked; at rest the pause grows to a second")
    send_timeout: float = Field(4.0, gt=0, description="seconds until a send is given up and the producer replaced")
    timer_poll_ms: int = Field(500, ge=1, description="how often due timers are looked for without being woken")
    stop_timeout: float = Field(30.0, gt=0, description="seconds for an orderly stop, then a hard exit")
