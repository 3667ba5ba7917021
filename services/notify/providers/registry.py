"""The kinds of providers that `providers.yaml` can name: one line each."""

from typing import Any

from services.notify.providers.kind import ProviderKind
from services.notify.providers.mail import kind as smtp
from services.notify.providers.sms import http_sms, smpp

PROVIDER_KINDS: dict[str, ProviderKind[Any]] = {
    "http_sms": http_sms.KIND,
    "smpp": smpp.KIND,
    "smtp": smtp.KIND,
}
