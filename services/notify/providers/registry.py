"""The kinds of providers that `providers.yaml` can name: one line each."""

from typing import Any

from services.notify.providers.kind import ProviderKind
from services.notify.providers.mail import kind as smtp
from services.notify.providers.sms import aliyun, http, http_sms, kannel, smpp, twilio

PROVIDER_KINDS: dict[str, ProviderKind[Any]] = {
    "aliyun": aliyun.KIND,
    "http": http.KIND,
    "http_sms": http_sms.KIND,
    "kannel": kannel.KIND,
    "smpp": smpp.KIND,
    "smtp": smtp.KIND,
    "twilio": twilio.KIND,
}
