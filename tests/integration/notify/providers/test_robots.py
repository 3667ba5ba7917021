"""Group robots only: signatures, mentions, sizes, limits a minute, and the error codes of the products."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.chat import dingtalk, feishu
from services.notify.providers.chat import robot as robot_module
from services.notify.providers.kind import ProviderContext
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured
from tests.support.gateways.robot_gateways import ROBOT, SECRET
from tests.support.provider_peers.robots import ROBOTS, connected_robot, robot

EVERY_PRODUCT = pytest.mark.parametrize("name", sorted(ROBOTS))
MESSAGE = OutgoingMessage("k", f"{ROBOT}#+8613800000001", "催办：投诉单 1", "投诉单 1 待办。")


def test_signatures_are_those_of_the_documentation() -> None:
    # Computed with `openssl dgst -sha256 -hmac`, by the description in the products' documentation.
    assert dingtalk.sign("this is secret", "1577262236757") == "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="
    assert feishu.sign("demo", "1599360473") == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="
    now = datetime(2026, 9, 24, 8, 0, 0, 123_000, tzinfo=UTC)
    parameters, _ = robot("dingtalk", 1).compose(MESSAGE, now)
    assert parameters == {"timestamp": "1790236800123", "sign": dingtalk.sign(SECRET, "1790236800123")}
    _, body = robot("feishu", 1).compose(MESSAGE, now)
    assert (body["timestamp"], body["sign"]) == ("1790236800", feishu.sign(SECRET, "1790236800"))


@pytest.mark.parametrize(("name", "code"), [("dingtalk", "310000"), ("feishu", "19021")])
async def test_wrong_secret_is_named_and_retried(name: str, code: str, tmp_path: Path) -> None:
    async with connected_robot(name, tmp_path) as (_, gateway):
        other = robot(name, gateway.port, 5, secret="another secret")
        assert await other.send(MESSAGE) == SendFailed(FailureReason.CREDENTIALS, permanent=False, code=code)
        await other.close()


@pytest.mark.parametrize(("name", "mentioned"), [("wecom", ["13800000001"]), ("dingtalk", ["13800000001"]), ("feishu", [])])
async def test_person_is_mentioned_where_the_product_knows_numbers(name: str, mentioned: list[str], tmp_path: Path) -> None:
    async with connected_robot(name, tmp_path) as (provider, gateway):
        assert isinstance(await provider.send(MESSAGE), SendAccepted)
    assert [stored["to"] for stored in gateway.message_file.messages.values()] == [[ROBOT, *mentioned]]
    async with connected_robot(name, tmp_path / "without", mention=False) as (provider, gateway):
        assert isinstance(await provider.send(MESSAGE), SendAccepted)
    assert [stored["to"] for stored in gateway.message_file.messages.values()] == [[ROBOT]]


@EVERY_PRODUCT
@pytest.mark.parametrize("filling", ["长", "𠮷", "e\u0301", "👨\u200d👩\u200d👧", '"\n\\'])
async def test_long_text_is_cut_within_the_limit_and_between_characters(name: str, filling: str, tmp_path: Path) -> None:
    async with connected_robot(name, tmp_path) as (provider, gateway):
        sent = OutgoingMessage("k", MESSAGE.address, MESSAGE.subject, filling * (6_000 // len(filling)))
        assert isinstance(await provider.send(sent), SendAccepted)
        [body] = gateway.bodies
    content = gateway.text(body)
    assert content.startswith("催办：投诉单 1\n\n")
    text = content.partition("\n\n")[2].partition("\n@")[0] if filling != '"\n\\' else ""
    assert text.removesuffix("…").replace(filling, "") == ""
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= 20_000


@EVERY_PRODUCT
async def test_message_beyond_the_limit_is_postponed_and_the_robot_is_not_silenced(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robot_module, "monotonic", lambda: 100.0)  # a busy machine needs more than Feishu's second for five messages
    async with connected_robot(name, tmp_path) as (provider, gateway):
        allowed = min(limit for limit, _ in provider.windows)
        results = [await provider.send(MESSAGE) for _ in range(allowed + 3)]
    assert [isinstance(result, SendAccepted) for result in results] == [True] * allowed + [False] * 3
    for result in results[allowed:]:
        assert isinstance(result, SendFailed)
        assert (result.reason, result.postponed, result.permanent) == (FailureReason.BUSY, True, False)
        assert 0 < (result.retry_after or 0) <= 60
    assert len(gateway.requests) == allowed


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("wecom", 93000, SendFailed(FailureReason.CREDENTIALS, permanent=False, code="93000")),
        ("wecom", 45009, SendFailed(FailureReason.BUSY, permanent=False, code="45009", retry_after=60)),
        ("wecom", 40058, SendFailed(FailureReason.REFUSED, permanent=True, code="40058")),
        ("dingtalk", 130101, SendFailed(FailureReason.BUSY, permanent=False, code="130101", retry_after=600)),
        ("dingtalk", 300001, SendFailed(FailureReason.CREDENTIALS, permanent=False, code="300001")),
        ("dingtalk", 460101, SendFailed(FailureReason.REFUSED, permanent=True, code="460101")),
        ("feishu", 11232, SendFailed(FailureReason.BUSY, permanent=False, code="11232", retry_after=60)),
        ("feishu", 19024, SendFailed(FailureReason.CREDENTIALS, permanent=False, code="19024")),
        ("feishu", 19999, SendFailed(FailureReason.REFUSED, permanent=True, code="19999")),
    ],
)
async def test_error_code_of_the_product_gives_reason_and_wait(name: str, code: int, expected: SendFailed, tmp_path: Path) -> None:
    async with connected_robot(name, tmp_path) as (provider, gateway):
        gateway.queued_codes.append(code)
        assert await provider.send(MESSAGE) == expected


@EVERY_PRODUCT
async def test_message_for_another_group_is_never_posted(name: str, tmp_path: Path) -> None:
    async with connected_robot(name, tmp_path) as (provider, gateway):
        assert await provider.send(OutgoingMessage("k", "board", "s", "t")) == SendFailed(FailureReason.REFUSED, permanent=True)
    assert gateway.requests == []


@pytest.mark.parametrize("address", ["", "no address", "ftp://example.org/x", "https:///hook"])
def test_webhook_address_that_is_none_names_its_variable_and_not_its_value(address: str) -> None:
    kind = ROBOTS["wecom"][0]
    settings = kind.settings.model_validate({"url_env": "ROBOT_URL"})
    with pytest.raises(Misconfigured, match="ROBOT_URL") as error:
        kind.create(settings, ProviderContext(ROBOT, Clock(), environment={"ROBOT_URL": address}))
    assert not address or address not in str(error.value)
