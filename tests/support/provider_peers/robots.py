"""The robots of the three products, each connected to its simulated gateway."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from services.notify.providers.chat import dingtalk, feishu, wecom
from services.notify.providers.chat.robot import GroupRobot
from services.notify.providers.kind import ProviderContext, ProviderKind
from shared.runtime.clock import Clock
from tests.support.gateways.robot_gateways import (
    KEY,
    ROBOT,
    SECRET,
    DingtalkGateway,
    FeishuGateway,
    RobotGateway,
    WecomGateway,
)
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

# Kind, gateway, query of the webhook address, and the codes of a refusal for now and for good.
ROBOTS: dict[str, tuple[ProviderKind[Any], type[RobotGateway], str, int, int]] = {
    "wecom": (wecom.KIND, WecomGateway, f"?key={KEY}", 45009, 44004),
    "dingtalk": (dingtalk.KIND, DingtalkGateway, f"?access_token={KEY}", -1, 400013),
    "feishu": (feishu.KIND, FeishuGateway, "", 11232, 9499),
}


def robot(name: str, port: int, timeout: float = TIMEOUT, secret: str = SECRET, **settings: Any) -> GroupRobot:
    kind, gateway, query, _, _ = ROBOTS[name]
    environment = {"ROBOT_URL": f"http://127.0.0.1:{port}{gateway.path}{query}", "ROBOT_SECRET": secret}
    names = {"url_env": "ROBOT_URL"} | ({} if name == "wecom" else {"secret_env": "ROBOT_SECRET"})
    built = kind.create(kind.settings.model_validate(names | settings), ProviderContext(ROBOT, Clock(), timeout, environment=environment))
    assert isinstance(built, GroupRobot)
    return built


@asynccontextmanager
async def connected_robot(name: str, folder: Path, **settings: Any) -> AsyncIterator[tuple[GroupRobot, RobotGateway]]:
    async with ROBOTS[name][1](folder) as gateway:
        provider = robot(name, gateway.port, 5, **settings)
        yield provider, gateway
        await provider.close()


@asynccontextmanager
async def connect(name: str, folder: Path) -> AsyncIterator[ProviderPeer]:
    busy, refused = ROBOTS[name][3:]
    async with connected_robot(name, folder) as (provider, gateway):
        yield ProviderPeer(
            provider,
            gateway.message_file,
            ROBOT,
            "another-robot",
            lambda: gateway.queued_codes.append(busy),
            lambda: gateway.queued_codes.append(refused),
        )


def _peer(name: str) -> PeerKind:
    def connected(folder: Path) -> AbstractAsyncContextManager[ProviderPeer]:
        return connect(name, folder)

    return PeerKind(partial(robot, name), connected, ROBOT, recognises_repeats=False)


WECOM, DINGTALK, FEISHU = _peer("wecom"), _peer("dingtalk"), _peer("feishu")
