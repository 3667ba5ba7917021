"""Gives a broker the access rules of `shared.contracts.operations.access`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.api import Request, Response

from shared.contracts.operations.access import AccessNames, AccessRule, access_rules, is_of_installation
from shared.runtime.errors import Misconfigured, Unavailable
from shared.runtime.kafka.connection import connection_options, diagnose_connection
from shared.runtime.process.settings import RuntimeSettings

# Numbers of the protocol: ResourceType, PatternType, AclOperation and AclPermissionType.
_KINDS = {"topic": 2, "group": 3, "cluster": 4}
_LITERAL, _PREFIXED = 3, 4
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Alter": 7, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11}
_ANY, _ALLOW = 1, 3
_EVERY_HOST = "*"
_SECURITY_DISABLED = 54


@dataclass(frozen=True)
class AccessChanges:
    """Rules that the broker lacked, that it had, and that it has of this installation beside the wanted ones."""

    created: list[AccessRule]
    kept: list[AccessRule]
    surplus: list[AccessRule]


async def apply_access(settings: RuntimeSettings, names: AccessNames, *, prune: bool = False, dry_run: bool = False) -> AccessChanges:
    """Add the rules that are absent and, with `prune`, remove those that the installation no longer makes; `dry_run` changes nothing.

    Rules of others (`is_of_installation`), denials and rules for single hosts stay as they are. Raises Unavailable without a broker, and
    Misconfigured where the broker has no authorizer or refuses this user.
    """
    if trouble := await diagnose_connection(settings):
        raise Unavailable(trouble)
    admin = AIOKafkaAdminClient(client_id="jiesu-access", **connection_options(settings))
    await admin.start()
    try:
        changes = _changes(names, set(access_rules(names)), await _present_rules(admin, settings))
        if not dry_run:
            for rule in changes.created:
                await _create(admin, rule, settings)
            for rule in changes.surplus if prune else ():
                await _delete(admin, rule, settings)
    except KafkaError as error:
        raise Unavailable(f"the broker does not answer about access rules: {type(error).__name__}") from error
    finally:
        await admin.close()
    return changes


def _changes(names: AccessNames, wanted: set[AccessRule], present: set[AccessRule]) -> AccessChanges:
    surplus = {rule for rule in present - wanted if is_of_installation(names, rule)}
    return AccessChanges(sorted(wanted - present), sorted(wanted & present), sorted(surplus))


async def _present_rules(admin: AIOKafkaAdminClient, settings: RuntimeSettings) -> set[AccessRule]:
    answer = await _send(admin, DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
    _require_permitted(answer.error_code, answer.error_message, settings)
    return set(_read_rules(answer.resources))


def _read_rules(resources: Iterable[tuple[int, str, int, list[tuple[str, str, int, int]]]]) -> Iterator[AccessRule]:
    """Permissions of the broker on every host, of the kinds and operations that this module writes."""
    kinds = {number: kind for kind, number in _KINDS.items()}
    operations = {number: operation for operation, number in _OPERATIONS.items()}
    for kind, name, pattern, entries in resources:
        for principal, host, operation, permission in entries:
            user = principal.removeprefix("User:")
            if kind in kinds and operation in operations and (host, permission) == (_EVERY_HOST, _ALLOW) and user != principal:
                yield AccessRule(user, kinds[kind], name, operations[operation], pattern == _PREFIXED)  # type: ignore[arg-type]


async def _create(admin: AIOKafkaAdminClient, rule: AccessRule, settings: RuntimeSettings) -> None:
    answer = await _send(admin, CreateAclsRequest(*_fields(rule)))
    for code, message in answer.creation_responses:
        _require_permitted(code, message, settings)


async def _delete(admin: AIOKafkaAdminClient, rule: AccessRule, settings: RuntimeSettings) -> None:
    answer = await _send(admin, DeleteAclsRequest(*_fields(rule)))
    for code, message, removed in answer.filter_responses:
        _require_permitted(code, message, settings)
        for of_one, why, *_ in removed:
            _require_permitted(of_one, why, settings)


def _fields(rule: AccessRule) -> tuple[int, str, int, str, str, int, int]:
    pattern = _PREFIXED if rule.is_prefix else _LITERAL
    return _KINDS[rule.kind], rule.name, pattern, f"User:{rule.user}", _EVERY_HOST, _OPERATIONS[rule.operation], _ALLOW


async def _send(admin: AIOKafkaAdminClient, request: Request) -> Response:
    # aiokafka has the requests but no method that sends them; any broker passes them on to the controller.
    return await admin._send_request(request)  # noqa: SLF001


def _require_permitted(code: int, message: str | None, settings: RuntimeSettings) -> None:
    if code == _SECURITY_DISABLED:
        raise Misconfigured(
            "the broker has no authorizer, so access rules cannot be stored: set authorizer.class.name="
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer and allow.everyone.if.no.acl.found=false"
        )
    if code != 0:
        raise Misconfigured(
            f"the broker refused user {settings.kafka_username!r} ({for_code(code).__name__}{f': {message}' if message else ''}): "
            "access rules need Alter and Describe on the cluster; give them to this user once, or run as one of super.users"
        )
