"""Sinks, settings and a database for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.sinks import MailSink, SmsSink
from services.notify.config import NotifySettings
from shared.runtime.database.database import Database
from tests.integration.notify.notify_process import ORGANISATION, RECEIPT_SECRET, NotifyProcess
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS
from tests.support.messaging.settings import SettingsFactory
from tests.support.provider_peers.http_sms import SMS_TOKEN


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncIterator[MailSink]:
    async with MailSink(tmp_path) as sink:
        yield sink


@pytest.fixture
async def sms(tmp_path: Path) -> AsyncIterator[SmsSink]:
    async with SmsSink(tmp_path, token=SMS_TOKEN) as sink:
        yield sink


@pytest.fixture
def settings(make_settings: SettingsFactory, tmp_path: Path, mail: MailSink, sms: SmsSink) -> NotifySettings:
    organisation = tmp_path / "organisation.yaml"
    organisation.write_text(ORGANISATION, encoding="utf-8")
    return make_settings(
        NotifySettings,
        sealing_keys=ENCRYPTION_KEYS,
        organisation=organisation,
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        smtp_security="none",
        smtp_timeout=5,
        sms_url=sms.url,
        sms_token=SMS_TOKEN,
        sms_receipt_secret=RECEIPT_SECRET,
        delivery_retry_first=0.05,
        delivery_retry_longest=0.1,
        delivery_attempts=3,
        delivery_poll=0.05,
        digest_window=0,  # most tests count single messages
    )


@pytest.fixture
async def database(settings: NotifySettings) -> AsyncIterator[Database]:
    connected = Database(settings, "notify")
    yield connected
    await connected.close()


@pytest.fixture
async def process(settings: NotifySettings, database: Database) -> AsyncIterator[NotifyProcess]:
    started = NotifyProcess(settings, database)
    yield started
    await started.close()
