"""The settings of every service, read from the environment when an instance is created."""

import os
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from shared.runtime.clock import Clock
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.errors import Misconfigured
from shared.runtime.process import server_addresses
from shared.runtime.process.server_addresses import parse_headers
from shared.runtime.process.setting_faults import describe_fault, reject_misspelt_variables, value_of_empty

_FEWEST_HEARTBEATS = 3


class RuntimeSettings(BaseSettings):
    """Broker, database, clock and limits. Variables have the prefix JIESU_, except KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL.

    Creating an instance raises `Misconfigured` for a value that cannot work and for a misspelt variable.
    """

    production_fields: ClassVar[frozenset[str]] = frozenset({"environment", "database_url", "kafka_bootstrap_servers"})
    """A setting that an installation for real complaints has to make: its defaults are those of a trial. Held by the tests of deploy/."""

    model_config = SettingsConfigDict(env_prefix="JIESU_", populate_by_name=True, extra="ignore", validate_default=True)

    environment: Literal["development", "test", "demo", "production"] = Field("development", description="production: real clock only")
    clock: str = Field("", description="<domain origin>@<real origin>x<factor>; empty is real time")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level of the log lines that are written")
    packs: Path | None = Field(None, description="folder of your own packs, each in a folder of its id; the same in every process")
    sealing_keys: SecretStr = Field(SecretStr(""), description="id:base64 of 32 bytes, comma separated; the first encrypts, all decrypt")

    kafka_bootstrap_servers: str = Field(
        "127.0.0.1:9092", validation_alias=AliasChoices("KAFKA_BOOTSTRAP_SERVERS"), description="host:port, comma separated"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="protocol of the connection"
    )
    kafka_sasl_mechanism: str = Field("SCRAM-SHA-512", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    kafka_username: str = Field("", description="principal for SASL")
    kafka_password: SecretStr = Field(SecretStr(""), description="password of the principal")
    kafka_ca_file: str = Field("", description="CA that signed the brokers' certificates; empty: those of the system")
    kafka_certificate_file: str = Field("", description="client certificate for mutual TLS")
    kafka_key_file: str = Field("", description="private key of the client certificate")
    topic_prefix: str = Field("", description="prefix of every topic and group, for tests and shared clusters")
    topic_partitions: int = Field(
        24,
        ge=1,
        le=1000,
        description="partitions of each topic of cases, the most processes of a service; changed by `jiesu topics move` only",
    )
    replication_factor: int = Field(1, description="replicas of the topics that `jiesu topics apply` creates; 3 in production")

    topic_retention_days: int = Field(
        30, ge=1, le=30, description="days that `jiesu topics apply` lets topics keep records; submissions 7 days at most"
    )

    database_url: SecretStr = Field(
        SecretStr("postgresql+asyncpg://jiesu@127.0.0.1:5432/jiesu"),
        validation_alias=AliasChoices("DATABASE_URL"),
        description="PostgreSQL; each service uses the schema of its name",
    )
    database_pool: int = Field(6, ge=2, description="database connections of one process for HTTP, reports and other loops")
    processing_pool: int = Field(5, ge=4, description="further connections: two for batches, two for timers, one for the relay")
    command_timeout: float = Field(30.0, gt=0, description="seconds that a statement may take")
    lock_timeout: float = Field(10.0, gt=0, description="seconds to wait for a row lock")
    idle_in_transaction_timeout: float = Field(30.0, gt=0, description="seconds after which the database ends an idle transaction")

    trace_endpoint: str = Field("", description="URL of OTLP over HTTP that traces are sent to, http://…:4318/v1/traces; empty: no tracing")
    trace_ratio: float = Field(0.01, ge=0, le=1, description="share of new traces that is sampled; a caller's decision holds for its own")
    trace_headers: SecretStr = Field(SecretStr(""), description="headers of every export, name=value, comma separated")

    http_host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 in a container")
    http_port: int = Field(0, ge=0, le=65535, description="port to listen on; 0 takes a free one")

    http_connections: int = Field(500, ge=1, description="HTTP connections of one process; beyond, the longest waiting is closed")
    http_header_seconds: float = Field(10.0, gt=0, description="seconds in which the headers of a request have to arrive")
    http_body_seconds: float = Field(
        20.0, gt=0, description="seconds for the body of a request, and one more for each 1,000 bytes; also for reading an answer"
    )

    batch_size: int = Field(250, ge=1, description="maximum number of records in a transaction")
    batch_wait_ms: int = Field(20, ge=1, description="pause in milliseconds after a poll without records")
    max_poll_interval_ms: int = Field(
        300_000, ge=1000, description="maximum milliseconds between polls; a failing batch is retried for half of it"
    )
    breaker_cases: int = Field(
        20, ge=0, description="cases that one fault may park within a minute before reading stops; 0 switches the breaker off"
    )
    bad_records_burst: int = Field(
        100, ge=0, description="bad records of one sender at once before its records are set aside; 0 switches the limit off"
    )
    bad_records_per_minute: float = Field(60.0, gt=0, description="bad records a minute that one sender may send for long")
    dead_letter_retention_days: int = Field(
        90, ge=32, description="days that settled dead letters are kept; at least as long as a topic keeps the record"
    )
    clock_tolerance_ms: int = Field(
        100, ge=0, description="maximum difference in milliseconds between the broker's clock and ours; timers fire that much later"
    )
    outbox_shards: int = Field(
        1, ge=1, le=64, description="number of relays that may run in parallel; the same in every process of a service"
    )
    outbox_poll_ms: int = Field(100, ge=1, description="outbox poll interval in milliseconds; grows to 10 seconds while it is empty")
    outbox_hold_seconds: float = Field(
        600.0, ge=0, description="seconds that messages to an absent or forbidden topic are held; then they become dead letters"
    )
    send_timeout: float = Field(4.0, gt=0, description="seconds without progress after which a send is aborted and the producer replaced")
    timer_poll_ms: int = Field(
        500, ge=1, description="timer poll interval in milliseconds; four times that in a process that owns every partition"
    )
    heartbeat_seconds: float = Field(5.0, ge=0, description="seconds between two heartbeats of a process; 0: it sends and reads none")
    silence_seconds: float = Field(20.0, gt=0, description="seconds without a heartbeat after which a process is reported to stand still")
    stop_timeout: float = Field(30.0, gt=0, description="seconds for an orderly stop; then the process exits")

    def __init__(self, **values: Any) -> None:
        reject_misspelt_variables(os.environ)
        try:
            super().__init__(**values)
        except (ValidationError, SettingsError) as error:
            # Not chained: pydantic's text quotes the value, which may be a password.
            raise Misconfigured(describe_fault(error)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_text_is_no_value(cls, value: object, info: ValidationInfo) -> object:
        """An empty path or `JIESU_X=` of a compose file is no folder `.`: it is none, or an error where one is needed."""
        if value != "" or info.field_name is None:
            return value
        return value_of_empty(cls.model_fields[info.field_name])

    @field_validator("log_level", mode="before")
    @classmethod
    def _log_level_in_any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _bootstrap_servers_can_be_parsed(cls, value: str) -> str:
        return server_addresses.check_bootstrap_servers(value)

    @field_validator("database_url")
    @classmethod
    def _database_url_can_be_parsed(cls, value: SecretStr) -> SecretStr:
        server_addresses.check_database_url(value.get_secret_value())
        return value

    @field_validator("trace_endpoint")
    @classmethod
    def _trace_endpoint_is_complete(cls, value: str) -> str:
        return server_addresses.check_trace_endpoint(value)

    @field_validator("trace_headers")
    @classmethod
    def _trace_headers_can_be_parsed(cls, value: SecretStr) -> SecretStr:
        parse_headers(value.get_secret_value())
        return value

    @field_validator("packs")
    @classmethod
    def _packs_are_a_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("must be a folder with a folder for each pack")
        return value

    @model_validator(mode="after")
    def _clock_and_keys_can_be_used(self) -> Self:
        # Parsed again by the service: here, so that commands report them before they start servers.
        Clock.parse(self.clock, self.environment)
        EncryptionKeyRing.parse(self.sealing_keys)
        return self

    @model_validator(mode="after")
    def _silence_is_longer_than_a_few_heartbeats(self) -> Self:
        # One that is late, or lost with a broker's leader, is no standstill.
        if self.silence_seconds < _FEWEST_HEARTBEATS * self.heartbeat_seconds:
            raise Misconfigured(f"JIESU_SILENCE_SECONDS: must be at least {_FEWEST_HEARTBEATS} times JIESU_HEARTBEAT_SECONDS")
        return self
