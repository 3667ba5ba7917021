"""The access rules of a broker: what each user may do with topics, consumer groups and the cluster."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from shared.contracts.topics import (
    CASE_ACTIONS,
    COMPLAINT_SUBMISSIONS,
    CREATED_TOPICS,
    EXTERNAL_SYSTEM,
    HEARTBEATS,
    SERVICES,
    department_topic,
)

ResourceKind = Literal["topic", "group", "cluster"]
Operation = Literal["Read", "Write", "Create", "Delete", "Alter", "Describe", "DescribeConfigs", "AlterConfigs"]
CLUSTER = "kafka-cluster"
"""The name that Kafka gives the one resource of the kind `cluster`."""
ANY_NAME = "*"
_DEPARTMENTS = department_topic("").name
_SOURCES = "source-"
_OUTSIDE = (_DEPARTMENTS, _SOURCES)
"""How the users of departments and contact centres begin."""
_OWN_NAMES = {*SERVICES, *(topic.name for topic in CREATED_TOPICS)}


@dataclass(frozen=True, slots=True, order=True)
class AccessRule:
    """One operation that a user may do on a resource; `is_prefix`: on all whose name begins with `name`.

    `Read` and `Write` include `Describe`, and `Write` on a topic the idempotent producer, as Kafka defines them since 2.8.
    """

    user: str
    kind: ResourceKind
    name: str
    operation: Operation
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class AccessNames:
    """The names of an installation: prefixes of topics and of the platform's users, and who beside the platform may connect.

    `readers` are further systems, such as a warehouse, that read the events of departments and others.
    """

    topic_prefix: str = ""
    user_prefix: str = "jiesu-"
    departments: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()


def access_rules(names: AccessNames) -> list[AccessRule]:
    """Every rule of an installation, in order; what no rule names is forbidden where the broker denies by default."""
    rules = [rule for service in SERVICES for rule in _of_service(names, service)]
    rules += [*_of_topics_job(names), *_of_observer(names), *_of_scaler(names), *_of_keeper(names)]
    rules += [rule for department in dict.fromkeys(names.departments) for rule in _of_department(names, department)]
    rules += [_on_topic(names, f"{_SOURCES}{source}", COMPLAINT_SUBMISSIONS.name, "Write") for source in dict.fromkeys(names.sources)]
    rules += [rule for reader in dict.fromkeys(names.readers) for rule in _of_reader(names, reader)]
    return rules


def is_of_installation(names: AccessNames, rule: AccessRule) -> bool:
    """Whether a rule that a broker has is one that this installation makes, now or earlier: of a department that is gone, for example.

    Two installations may share a broker and its users, so a rule for names of another prefix is not.
    """
    if not rule.user.startswith((names.user_prefix, *_OUTSIDE)) and rule.user not in names.readers:
        return False
    if rule.kind == "cluster" or rule.name == ANY_NAME:
        return rule.user.startswith(names.user_prefix)
    if not rule.name.startswith(names.topic_prefix):
        return False
    name = rule.name.removeprefix(names.topic_prefix)
    return name in _OWN_NAMES or name.startswith((_DEPARTMENTS, f"{rule.user}."))


def _on_topic(names: AccessNames, user: str, topic: str, operation: Operation, *, is_prefix: bool = False) -> AccessRule:
    return AccessRule(user, "topic", f"{names.topic_prefix}{topic}", operation, is_prefix)


def _on_groups(names: AccessNames, user: str, operation: Operation) -> Iterator[AccessRule]:
    """Of the services' groups."""
    return (AccessRule(user, "group", f"{names.topic_prefix}{service}", operation) for service in SERVICES)


def _on_all_topics(names: AccessNames, user: str, operations: Iterable[Operation]) -> Iterator[AccessRule]:
    for operation in operations:
        yield from (_on_topic(names, user, topic.name, operation) for topic in CREATED_TOPICS)
        yield _on_topic(names, user, _DEPARTMENTS, operation, is_prefix=True)


def _of_service(names: AccessNames, service: str) -> Iterator[AccessRule]:
    user = f"{names.user_prefix}{service}"
    yield from (_on_topic(names, user, topic.name, "Read") for topic in CREATED_TOPICS if service in topic.consumers)
    yield from (_on_topic(names, user, topic.name, "Write") for topic in CREATED_TOPICS if service in topic.producers)
    if service in department_topic("").producers:
        yield _on_topic(names, user, _DEPARTMENTS, "Write", is_prefix=True)
    yield AccessRule(user, "group", f"{names.topic_prefix}{service}", "Read")


def _of_topics_job(names: AccessNames) -> Iterator[AccessRule]:
    """`jiesu topics apply`: topics, their settings and these rules; it reads no record."""
    user = f"{names.user_prefix}topics"
    yield from _on_all_topics(names, user, ("Create", "Describe", "DescribeConfigs", "AlterConfigs"))
    yield AccessRule(user, "cluster", CLUSTER, "Alter")
    yield AccessRule(user, "cluster", CLUSTER, "Describe")


def _of_observer(names: AccessNames) -> Iterator[AccessRule]:
    """`jiesu status` and `jiesu backup compare`: everything is read, nothing changed."""
    user = f"{names.user_prefix}observer"
    yield from _on_all_topics(names, user, ("Read",))
    yield from _on_groups(names, user, "Describe")


def _of_scaler(names: AccessNames) -> Iterator[AccessRule]:
    """A scaler by lag, such as KEDA: it compares ends of topics with positions of groups."""
    user = f"{names.user_prefix}scaler"
    yield from _on_all_topics(names, user, ("Describe",))
    yield from _on_groups(names, user, "Describe")


def _of_keeper(names: AccessNames) -> Iterator[AccessRule]:
    """`jiesu erase --trim-topics` and `jiesu backup compare --repair`: records are deleted, positions of groups set."""
    user = f"{names.user_prefix}keeper"
    yield from _on_all_topics(names, user, ("Read", "Delete"))
    yield from _on_groups(names, user, "Read")
    # A department's group that it cannot see would lose the records that it has not read.
    yield AccessRule(user, "group", ANY_NAME, "Describe")


def _of_department(names: AccessNames, department: str) -> Iterator[AccessRule]:
    topic = department_topic(department).name
    yield _on_topic(names, topic, topic, "Read")
    yield _on_topic(names, topic, CASE_ACTIONS.name, "Write")
    # The dot keeps `department-a.` from the groups of department `a-b`.
    yield AccessRule(topic, "group", f"{names.topic_prefix}{topic}.", "Read", is_prefix=True)


def _of_reader(names: AccessNames, reader: str) -> Iterator[AccessRule]:
    public = (topic.name for topic in CREATED_TOPICS if EXTERNAL_SYSTEM in topic.consumers and topic is not HEARTBEATS)
    yield from (_on_topic(names, reader, topic, "Read") for topic in public)
    yield AccessRule(reader, "group", f"{names.topic_prefix}{reader}.", "Read", is_prefix=True)
