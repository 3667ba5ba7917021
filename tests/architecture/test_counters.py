"""Counters exist with zero from the start, for all labels that are known then; unknown names count as `other`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import Counter

from services.intake import metrics as intake
from services.notify import metrics as notify
from services.sla import metrics as sla
from services.triage import metrics as triage
from shared.contracts.topics import TOPICS
from shared.procedures.loading.loader import load_procedure
from shared.procedures.organisation import Organisation
from shared.runtime.process import metrics as runtime

ORGANISATION = Organisation.model_validate(
    {"id": "org", "zh": "公司", "en": "Company", "fallback": "p", "people": [{"id": "p", "name": "p", "roles": []}]}
    | {"departments": [{"id": "repairs", "zh": "维修", "en": "Repairs"}, {"id": "unassigned", "zh": "待定", "en": "Unassigned"}]}
)
HUNAN, *OTHERS = (load_procedure(pack) for pack in ("hunan-property", "greentown-qd1001", "telecom-urgent"))
ONLY_WHEN_SEEN = {"jiesu_triage_shadow_guesses", "jiesu_measurements_failed"}
ONLY_WHEN_SEEN |= {"jiesu_database_failures", "jiesu_slots_failures", "jiesu_background_loop_failures"}
"""Their labels are those of a model, measurements of a service, and parts of a process."""


@pytest.fixture(autouse=True)
def _initialised() -> None:
    runtime.initialise(["case-actions"])
    intake.initialise(["hunan-property"])
    triage.initialise([HUNAN, *OTHERS], ORGANISATION)
    sla.initialise([HUNAN, *OTHERS])
    notify.initialise()
    notify.initialise_providers(["smtp"])


def counters() -> Iterator[Any]:
    for module in (runtime, intake, triage, sla, notify):
        yield from (value for value in vars(module).values() if isinstance(value, Counter))


def samples(counter: Counter) -> list[tuple[dict[str, str], float]]:
    return [(sample.labels, sample.value) for family in counter.collect() for sample in family.samples if sample.name.endswith("_total")]


def test_every_counter_exists_from_the_start() -> None:
    names = {counter.describe()[0].name for counter in counters() if not samples(counter)}
    assert names <= ONLY_WHEN_SEEN


def test_unsendable_messages_count_from_zero_for_every_topic_that_is_written() -> None:
    topics = {labels["topic"] for labels, _ in samples(runtime.UNSENDABLE)}
    assert topics >= {*TOPICS, "department"}
    assert runtime.topic_label("department-repairs") == "department"


def test_records_of_a_known_sender_count_from_zero() -> None:
    runtime.initialise_senders(["case-actions"], ["guo-qiang-1"])
    assert ({"sender": "guo-qiang-1"}, 0) in samples(runtime.SET_ASIDE)
    assert ({"topic": "case-actions", "sender": "guo-qiang-1"}, 0) in samples(runtime.BAD_RECORDS)


def test_counters_of_a_procedure_have_its_clocks_classes_and_roles() -> None:
    clocks = {labels["clock"] for labels, _ in samples(sla.CLOCKS_BREACHED_TOTAL) if labels["procedure"] == "hunan-property"}
    assert clocks >= {clock.id for clock in HUNAN.clocks}
    routed = {labels["department"] for labels, _ in samples(triage.ROUTED)}
    assert {"repairs", "unassigned"} <= routed
    refused = {(labels["via"], labels["reason"]) for labels, _ in samples(intake.REFUSED)}
    assert ("kafka", "malformed") in refused


def test_names_outside_the_organisation_count_as_other() -> None:
    labels = sla.CaseLabels.of([HUNAN], ORGANISATION)
    assert [labels.department_label(name) for name in ("repairs", "", "no such")] == ["repairs", "", "other"]
    assert [labels.class_label(name) for name in (HUNAN.classes[0].id, "", "no such")] == [HUNAN.classes[0].id, "", "other"]


def test_a_breach_that_was_known_late_is_counted_apart() -> None:
    clock = HUNAN.clocks[0].id
    labels = {"procedure": "hunan-property", "clock": clock}

    def values() -> tuple[float, float]:
        breached = [value for found, value in samples(sla.CLOCKS_BREACHED_TOTAL) if found == labels]
        known_late = [value for found, value in samples(sla.CLOCKS_KNOWN_LATE_TOTAL) if found == labels]
        return breached[0], known_late[0]

    before = values()
    event = {"type": "clock_breached", **labels}
    sla.count_events([event, {**event, "known_at": "2026-11-09T15:00:00+08:00"}])
    assert values() == (before[0] + 1, before[1] + 1)
