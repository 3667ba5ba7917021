"""The kinds of providers that `providers.yaml` can name: one line each."""

from typing import Any

from services.notify.providers.chat import dingtalk, feishu, wecom
from services.notify.providers.kind import ProviderKind
from services.notify.providers.mail import kind as smtp
from services.notify.providers.sms import aliyun, http, http_sms, kannel, smpp, twilio
from services.notify.providers.voice import call_out

PROVIDER_KINDS: dict[str, ProviderKind[Any]] = {
    "aliyun": aliyun.KIND,
    "call_out": call_out.KIND,
    "dingtalk": dingtalk.KIND,
    "feishu": feishu.KIND,
    "http": http.KIND,
    "http_sms": http_sms.KIND,
    "kannel": kannel.KIND,
    "smpp": smpp.KIND,
    "smtp": smtp.KIND,
    "twilio": twilio.KIND,
    "wecom": wecom.KIND,
}
