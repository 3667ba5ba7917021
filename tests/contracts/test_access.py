"""The access rules name the topics of the contracts and no more."""

from shared.contracts.operations.access import AccessNames, access_rules
from shared.contracts.topics import CREATED_TOPICS, EXTERNAL_SYSTEM, HEARTBEATS, SERVICES

RULES = access_rules(AccessNames("p.", "jiesu-", ("a", "a-b", "a"), ("hotline",), ("warehouse",)))


def topics_of(user: str, operation: str) -> set[str]:
    rules = [rule for rule in RULES if (rule.user, rule.kind, rule.operation) == (user, "topic", operation)]
    return {f"{rule.name}{'*' if rule.is_prefix else ''}" for rule in rules}


def test_a_service_reads_and_writes_the_topics_that_name_it() -> None:
    for service in SERVICES:
        departments = {"p.department-*"} if service == "sla" else set()
        assert topics_of(f"jiesu-{service}", "Read") == {f"p.{topic.name}" for topic in CREATED_TOPICS if service in topic.consumers}
        written = {f"p.{topic.name}" for topic in CREATED_TOPICS if service in topic.producers}
        assert topics_of(f"jiesu-{service}", "Write") == written | departments


def test_a_department_sees_its_own_topic_and_groups_alone() -> None:
    assert topics_of("department-a", "Read") == {"p.department-a"}
    assert topics_of("department-a", "Write") == {"p.case-actions"}
    groups = [rule for rule in RULES if rule.kind == "group" and rule.user == "department-a"]
    assert [(rule.name, rule.is_prefix) for rule in groups] == [("p.department-a.", True)]


def test_those_outside_write_submissions_or_read_what_is_public() -> None:
    assert (topics_of("source-hotline", "Write"), topics_of("source-hotline", "Read")) == ({"p.complaint-submissions"}, set())
    public = {f"p.{topic.name}" for topic in CREATED_TOPICS if EXTERNAL_SYSTEM in topic.consumers and topic is not HEARTBEATS}
    assert (topics_of("warehouse", "Write"), topics_of("warehouse", "Read")) == (set(), public)


def test_nobody_but_the_keeper_deletes_and_nobody_but_the_topics_job_creates() -> None:
    assert {rule.user for rule in RULES if rule.operation == "Delete"} == {"jiesu-keeper"}
    assert {rule.user for rule in RULES if rule.operation in {"Create", "Alter", "AlterConfigs"}} == {"jiesu-topics"}
    assert not topics_of("jiesu-topics", "Read")
    assert len(set(RULES)) == len(RULES)
