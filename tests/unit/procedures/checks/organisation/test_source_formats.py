"""Column maps and webhooks are checked with the organisation: file, line, rule and remedy."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.procedures.checks.organisation.organisation_check import check_organisation
from tests.support.messaging.import_samples import COLUMN_MAP
from tests.support.messaging.sample_organisation import SOURCES, write_organisation, write_yaml
from tests.support.repository import PROJECT

WEBHOOK: dict[str, Any] = {"fields": {"text": "message", "received_at": "at"}}
HMAC: dict[str, Any] = {"kind": "hmac", "header": "X-Signature", "secret_env": ["SECRET"]}


def problems(folder: Path, **source: Any) -> list[str]:
    path = write_organisation(folder, sources=[SOURCES[1] | source])
    return [str(problem) for problem in check_organisation(path) if problem.level == "error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {"A": "receved_at", "B": "text"}}, "receved_at is not a field of a complaint; did you mean received_at?"),
        ({"columns": {"A": "text"}}, "nothing gives received_at"),
        ({"columns": {"A": "text", "B": "text", "C": "received_at"}}, "text comes from two columns"),
        ({"columns": {}}, "columns"),
        ({"zone": "Asia/Peking"}, "Asia/Peking is not a time zone"),
        ({"time_of_day": "25:00"}, "time_of_day"),
        ({"date_order": "ymd"}, "date_order"),
        ({"encoding": "big5"}, "encoding"),
        ({"translate": {"received_at": {"heute": "2026-11-09"}}}, "only fields with one value can be translated"),
        ({"colums": {}}, "unknown key; did you mean columns?"),
        ({"values": {"channel": "web"}}, "imports sets the channel web, and the source may submit on hotline"),
        ({"values": {"facts.medias": True}}, "imports gives facts.medias, which shop does not declare"),
    ],
)
def test_fault_of_a_column_map_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    write_yaml(tmp_path / "columns.yaml", COLUMN_MAP | change)
    [problem] = problems(tmp_path, imports="columns.yaml")
    assert message in problem
    file, line, _ = problem.split(":", 2)
    assert Path(file).name in ("columns.yaml", "organisation.yaml")
    assert int(line) >= 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": {"text": "a[", "received_at": "at"}}, "'a[' is not JMESPath"),
        ({"fields": {"text": "message"}}, "nothing gives received_at"),
        ({"times": {"text": "unix"}}, "text is not an instant"),
        ({"signature": {"kind": "rsa"}}, "signature.kind has to be hmac or token"),
        ({"signature": HMAC | {"secret_env": []}}, "secret_env"),
        ({"signature": HMAC | {"secret_env": ["my secret"]}}, "secret_env"),
        ({"signature": HMAC | {"signed": "{head}"}}, "there is no part head; parts are body, form, secret, timestamp, url"),
        ({"signature": HMAC | {"signed": "{body"}}, "signed: "),
        ({"signature": HMAC | {"signed": "{url}{form}"}}, "write under url the address"),
        ({"signature": HMAC | {"signed": "{timestamp}{body}"}}, "name its header under timestamp"),
        ({"signature": HMAC | {"timestamp": {"header": "T"}}}, "whoever repeats a call could write a new one"),
    ],
)
def test_fault_of_a_webhook_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    write_yaml(tmp_path / "calls.yaml", WEBHOOK | change)
    found = problems(tmp_path, webhook="calls.yaml")
    assert [text for text in found if message in text], found


def test_maps_may_stand_in_the_organisation_file(tmp_path: Path) -> None:
    assert problems(tmp_path, imports=COLUMN_MAP, webhook=WEBHOOK) == []
    [problem] = problems(tmp_path, imports=COLUMN_MAP | {"date_order": "ymd"})
    assert "date_order" in problem
    [problem] = problems(tmp_path, imports="absent.yaml")
    assert "absent.yaml:1: cannot be read" in problem
    [problem] = problems(tmp_path, webhook=WEBHOOK, key_sha256=[])
    assert "nobody can call the webhook of hotline" in problem


@pytest.mark.parametrize("path", sorted((PROJECT / "docs/examples/webhooks").glob("*.yaml")), ids=lambda path: path.stem)
def test_example_webhooks_hold(path: Path, tmp_path: Path) -> None:
    assert problems(tmp_path, channels=[], webhook=str(path)) == []
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["signature"]["secret_env"]


def test_example_of_a_column_map_holds(tmp_path: Path) -> None:
    assert problems(tmp_path, channels=[], imports=str(PROJECT / "docs/examples/imports/contact-centre.yaml")) == []
