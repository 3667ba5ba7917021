"""Which providers serve a channel: those of the file, else the one of the environment."""

from pathlib import Path

import pytest

from services.notify.bootstrap import configured_providers
from services.notify.config import NotifySettings
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured

FILE = """
providers:
  - {id: a, channel: sms, kind: http_sms, timeout: 30, settings: {url: "https://a.example.org"}}
  - {id: b, channel: sms, kind: http_sms, timeout: 30, settings: {url: "https://b.example.org"}}
"""


def settings(folder: Path, **fields: object) -> NotifySettings:
    (folder / "providers.yaml").write_text(FILE, encoding="utf-8")
    common = {"smtp_host": "mail.example.org", "sms_url": "https://gateway.example.org", "smtp_security": "none"}
    return NotifySettings(**(common | fields))  # type: ignore[arg-type]


def test_environment_alone_describes_one_provider_a_channel(tmp_path: Path) -> None:
    pools = configured_providers(settings(tmp_path), Clock())
    assert sorted((pool.channel, *pool.providers) for pool in pools) == [("email", "smtp"), ("sms", "http-sms")]


def test_channels_of_the_file_replace_those_of_the_environment(tmp_path: Path) -> None:
    pools = configured_providers(settings(tmp_path, providers=tmp_path / "providers.yaml"), Clock())
    assert sorted((pool.channel, *pool.providers) for pool in pools) == [("email", "smtp"), ("sms", "a", "b")]


def test_lease_has_to_outlast_every_timeout_together(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"providers of channel sms: an attempt can take 60 s .* lower timeouts or raise the lease"):
        configured_providers(settings(tmp_path, providers=tmp_path / "providers.yaml", delivery_lease=50), Clock())
