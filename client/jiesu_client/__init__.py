"""Submit complaints to Jiesu, act on cases, and read their events.

`jiesu_client.producers` and `jiesu_client.subscriptions` need the extra `kafka`.
"""

from jiesu_client.cases import CasesClient, TakenAction
from jiesu_client.http_retries import Retries
from jiesu_client.intake import BatchFailedError, IntakeClient, Registration
from jiesu_client.problems import JiesuError, RefusedField, RequestRefusedError, UnavailableError
from jiesu_client.signatures import SigningKey, is_webhook_valid, webhook_headers
from shared.contracts.actions import ActionData
from shared.contracts.complaint import Complainant, Submission

__all__ = [
    "ActionData",
    "BatchFailedError",
    "CasesClient",
    "Complainant",
    "IntakeClient",
    "JiesuError",
    "RefusedField",
    "Registration",
    "RequestRefusedError",
    "Retries",
    "SigningKey",
    "Submission",
    "TakenAction",
    "UnavailableError",
    "is_webhook_valid",
    "webhook_headers",
]
