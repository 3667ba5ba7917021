"""Each process of the stack gets its own secrets only."""

import pytest

from cli.stack.process_environment import process_environment

SECRETS = {
    "JIESU_SEALING_KEYS": "k",
    "JIESU_PSEUDONYM_KEY": "p",
    "JIESU_SMTP_PASSWORD": "m",
    "JIESU_SMS_TOKEN": "t",
    "JIESU_SMS_RECEIPT_SECRET": "r",
    "JIESU_KAFKA_PASSWORD": "b",
    "DATABASE_URL": "d",
}
SERVERS = {"JIESU_KAFKA_PASSWORD", "DATABASE_URL"}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("intake", {*SERVERS, "JIESU_SEALING_KEYS", "JIESU_PSEUDONYM_KEY"}),
        ("triage", SERVERS),
        ("sla", {*SERVERS, "JIESU_SEALING_KEYS", "JIESU_PSEUDONYM_KEY"}),
        ("notify", {*SERVERS, "JIESU_SEALING_KEYS", "JIESU_SMTP_PASSWORD", "JIESU_SMS_TOKEN", "JIESU_SMS_RECEIPT_SECRET"}),
        ("sinks", {"JIESU_SMS_TOKEN", "JIESU_SMS_RECEIPT_SECRET"}),
    ],
)
def test_a_process_gets_its_own_secrets_only(name: str, own: set[str]) -> None:
    assert set(process_environment(name, SECRETS)) == own


def test_other_settings_go_to_every_service() -> None:
    assert process_environment("sla", {"JIESU_SMTP_HOST": "h"}) == {"JIESU_SMTP_HOST": "h"}
