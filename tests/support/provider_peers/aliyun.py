"""Alibaba Cloud's SendSms, simulated: its own reading of signature V3, template and parameters."""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.notify.providers.kind import ProviderContext
from services.notify.providers.provider import Provider
from services.notify.providers.sms.aliyun import KIND, AliyunSettings, AliyunTemplate
from shared.runtime.clock import Clock
from tests.support.gateways.simulated_gateway import UNKNOWN_SUFFIX, SimulatedGateway
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

KEY_ID, SECRET = "LTAI0000", "aliyun secret"
ENVIRONMENT = {"ALIYUN_SECRET": SECRET, "ALIYUN_RECEIPTS": "aliyun token"}
TEMPLATES = {"SMS_1001": "投诉单 ${number} 待办。 请尽快办理。", "SMS_1002": "待办：投诉单 ${number}，${words}。"}
_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")


def answer(code: str, status: int = 200, **more: str) -> JSONResponse:
    return JSONResponse({"Code": code, "Message": "+8613800000001 …", "RequestId": "0-0-0", **more}, status)


class AliyunGateway(SimulatedGateway):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.nonces: set[str] = set()

    async def answer(self, request: Request, body: bytes) -> Response:
        if (code := self._signature_problem(request, body)) is not None:
            return answer(code, 400)
        query = request.query_params
        if (request.headers["x-acs-action"], request.headers["x-acs-version"]) != ("SendSms", "2017-05-25"):
            return answer("InvalidAction.NotFound", 404)
        if query["SignName"] != "接诉":
            return answer("isv.SMS_SIGNATURE_ILLEGAL")
        template = TEMPLATES.get(query["TemplateCode"])
        if template is None:
            return answer("isv.SMS_TEMPLATE_ILLEGAL")
        if not re.fullmatch(r"1\d{10}|[1-9]\d{6,14}", query["PhoneNumbers"]) or query["PhoneNumbers"].endswith(UNKNOWN_SUFFIX):
            return answer("isv.MOBILE_NUMBER_ILLEGAL")
        values = json.loads(query["TemplateParam"])
        names = set(re.findall(r"\$\{(\w+)\}", template))
        if names != set(values):
            return answer("isv.TEMPLATE_MISSING_PARAMETERS")
        if any(len(value) > 35 for value in values.values()):
            return answer("isv.PARAM_LENGTH_LIMIT")
        text = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], template)
        biz_id = f"{900619746936498440 + len(self.message_file.messages)}^0"
        self.message_file.add(biz_id, {"to": f"+86{query['PhoneNumbers']}", "text": text, "out_id": query["OutId"]})
        return answer("OK", BizId=biz_id)

    def _signature_problem(self, request: Request, body: bytes) -> str | None:
        match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if match is None or match[1] != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        names = match[2].split(";")
        required = {"host", *(name for name in request.headers if name.startswith("x-acs-"))}
        pairs = sorted(request.query_params.multi_items())
        encoded = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs)
        lines = [request.method, request.url.path, encoded]
        lines += [f"{name}:{request.headers[name].strip()}" for name in names]
        lines += ["", ";".join(names), hashlib.sha256(body).hexdigest()]
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
        expected = hmac.new(SECRET.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        if names != sorted(names) or not required <= set(names) or expected != match[3]:
            return "SignatureDoesNotMatch"
        if request.headers["x-acs-content-sha256"] != hashlib.sha256(body).hexdigest():
            return "SignatureDoesNotMatch"
        age = datetime.now(UTC) - datetime.strptime(request.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(age) > timedelta(minutes=15):
            return "InvalidTimeStamp.Expired"
        if request.headers["x-acs-signature-nonce"] in self.nonces:
            return "SignatureNonceUsed"
        self.nonces.add(request.headers["x-acs-signature-nonce"])
        return None


def _encode(text: str) -> str:
    """As the document puts it: URL encoding with + as %20, * as %2A and %7E as ~."""
    return quote_plus(text, safe="").replace("+", "%20").replace("*", "%2A").replace("%7E", "~")


def aliyun_provider(port: int, timeout: float = TIMEOUT) -> Provider:
    settings = AliyunSettings(
        access_key_id=KEY_ID,
        access_key_secret_env="ALIYUN_SECRET",
        sign_name="接诉",
        templates=tuple(AliyunTemplate(code=code, text=text) for code, text in TEMPLATES.items()),
        receipt_token_env="ALIYUN_RECEIPTS",
        url=f"http://127.0.0.1:{port}",
    )
    return KIND.build(settings, ProviderContext("aliyun", Clock(), timeout, environment=ENVIRONMENT))


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
    async with AliyunGateway(folder) as gateway:
        provider = aliyun_provider(gateway.port, 5)
        yield ProviderPeer(
            provider,
            gateway.message_file,
            "+8613800000001",
            f"+861380000{UNKNOWN_SUFFIX}",
            lambda: gateway.queued.append(answer("isv.BUSINESS_LIMIT_CONTROL")),
            lambda: gateway.queued.append(answer("isv.SMS_CONTENT_ILLEGAL")),
        )
        await provider.close()


PEER = PeerKind(aliyun_provider, connect, "+8613800000001", recognises_repeats=False)
