"""Settings that cannot work are reported in one line: variable, rule, remedy, never the value."""

import pytest

from cli.reference.env_example import known_variables
from services.notify.config import NotifySettings
from shared.runtime.errors import Misconfigured
from shared.runtime.process.setting_faults import VARIABLES_FILE
from shared.runtime.process.settings import RuntimeSettings


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("DATABASE_URL", "nonsense", "DATABASE_URL: must read postgresql://user:password@host:port/database"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:port/d", "DATABASE_URL: must read postgresql://"),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "DATABASE_URL: must read postgresql://"),
        ("KAFKA_BOOTSTRAP_SERVERS", "http://x", "KAFKA_BOOTSTRAP_SERVERS: must read host:port, comma separated"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:9092,b", "KAFKA_BOOTSTRAP_SERVERS: must read host:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "a:99999", "KAFKA_BOOTSTRAP_SERVERS: must read host:port"),
        ("JIESU_TRACE_ENDPOINT", "collector:4318", "JIESU_TRACE_ENDPOINT: must be the whole URL, http://host:4318/v1/traces"),
        ("JIESU_TRACE_ENDPOINT", "http://collector:4318", "JIESU_TRACE_ENDPOINT: must be the whole URL"),
        ("JIESU_TRACE_ENDPOINT", "http://u:hunter2@collector/v1/traces", "a password belongs to JIESU_TRACE_HEADERS"),
        ("JIESU_TRACE_RATIO", "1.5", "JIESU_TRACE_RATIO: must be at most 1"),
        ("JIESU_TRACE_HEADERS", "hunter2", "JIESU_TRACE_HEADERS: must read name=value, comma separated, in ASCII"),
        ("JIESU_TRACE_HEADERS", "a=hunter2\r\nb: c", "JIESU_TRACE_HEADERS: must read name=value"),
        ("JIESU_LOG_LEVEL", "LOUD", "JIESU_LOG_LEVEL: must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("JIESU_CLOCK", "garbage", "JIESU_CLOCK must read <domain origin>@<real origin>x<factor>"),
        ("JIESU_SEALING_KEYS", "k1:aHVudGVyMg==", "JIESU_SEALING_KEYS must read id:base64 of 32 bytes"),
        ("JIESU_HTTP_PORT", "hunter2", "JIESU_HTTP_PORT: must be a whole number"),
        ("JIESU_HTTP_PORT", "70000", "JIESU_HTTP_PORT: must be at most 65535"),
        ("JIESU_BATCH_SIZE", "0", "JIESU_BATCH_SIZE: must be at least 1"),
        ("JIESU_TEMPLATES", "/no/hunter2", "JIESU_TEMPLATES: must be a folder that exists"),
        ("JIESU_SEND_TIMEOUT", "0", "JIESU_SEND_TIMEOUT: must be greater than 0"),
        ("JIESU_ENVIRONMENT", "prod", "JIESU_ENVIRONMENT: must be 'development', 'test', 'demo' or 'production'"),
        ("JIESU_DEFAULT_CHANNELS", "hunter2", "JIESU_DEFAULT_CHANNELS: must be JSON"),
        ("JIESU_DELIVERY_LEASE", "1", "delivery_lease must be at least 1.5 times the longest timeout"),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_its_rule(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured) as raised:
        NotifySettings()
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("misspelt", "nearest"),
    [
        ("JIESU_LOG_LEVL", "JIESU_LOG_LEVEL"),
        ("JIESU_SEALING_KEY", "JIESU_SEALING_KEYS"),
        ("JIESU_ORGANIZATION", "JIESU_ORGANISATION"),
        ("JIESU_SMTP_HOTS", "JIESU_SMTP_HOST"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch, misspelt: str, nearest: str) -> None:
    monkeypatch.setenv(misspelt, "x")
    with pytest.raises(Misconfigured, match=f"^{misspelt}: there is no such setting; did you mean {nearest}\\?$"):
        RuntimeSettings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JIESU_SMS_PORT", "tcp://10.0.0.1:80"),
        ("JIESU_SMS_SERVICE_HOST", "10.0.0.1"),
        ("JIESU_SMTP_PORT_25_TCP_ADDR", "10.0.0.1"),
        ("JIESU_SMTP_HOST", "mail.example"),
        ("JIESU_VERSION", "7"),
    ],
)
def test_variables_of_other_services_and_of_kubernetes_are_accepted(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    assert RuntimeSettings().environment


def test_a_log_level_may_be_written_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_LOG_LEVEL", "warning")
    assert RuntimeSettings().log_level == "WARNING"


def test_the_list_of_variables_is_that_of_the_declared_settings() -> None:
    assert VARIABLES_FILE.read_text("utf-8") == known_variables()
