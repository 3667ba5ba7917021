"""Each event that signs a form makes a version, whose hash covers what the form contained at that event."""

from copy import deepcopy

from shared.procedures.forms.filling import fill_form
from shared.procedures.forms.versions import all_versions, form_versions, version_hash
from tests.unit.procedures.forms.sample_form import FORM, event, form_of, registered, sample_events, sample_procedure, sample_texts


def test_each_signing_event_makes_a_version() -> None:
    procedure = sample_procedure()
    events = [*sample_events(), event(6, "measures_approved", "chief", "wang"), event(7, "called_back", "desk", "li")]
    versions = form_versions(procedure, form_of(procedure), events)
    assert [(version.version, version.sequence, version.event) for version in versions] == [
        (1, 4, "measures_rejected"),
        (2, 6, "measures_approved"),
        (3, 7, "called_back"),
    ]
    assert len({version.hash for version in versions}) == 3


def test_later_events_do_not_change_an_earlier_version() -> None:
    procedure = sample_procedure()
    events = sample_events()
    later = [*events, event(6, "measures_approved", "chief", "wang")]
    assert form_versions(procedure, form_of(procedure), later)[0] == form_versions(procedure, form_of(procedure), events)[0]


def test_changed_event_changes_the_hash() -> None:
    procedure = sample_procedure()
    changed = deepcopy(sample_events())
    changed[2]["text"] = "别的措施"
    before, after = (version_hash(procedure, form_of(procedure), events, 1) for events in (sample_events(), changed))
    assert None not in (before, after)
    assert before != after


def test_new_label_does_not_change_the_hash() -> None:
    relabelled = deepcopy(FORM)
    relabelled["zh"] = "新名称"
    relabelled["sections"][0]["fields"][1]["zh"] = "客户"
    procedures = sample_procedure(FORM), sample_procedure(relabelled)
    assert len({version_hash(procedure, form_of(procedure), sample_events(), 1) for procedure in procedures}) == 1


def test_unknown_version_has_no_hash() -> None:
    procedure = sample_procedure()
    assert version_hash(procedure, form_of(procedure), [registered()], 1) is None


def test_forms_of_a_period_have_no_versions() -> None:
    assert {version.form for version in all_versions(sample_procedure(), sample_events())} == {"sheet"}


def test_signed_version_prints_its_hash_and_a_later_state_is_a_working_copy() -> None:
    procedure = sample_procedure()
    form, events = form_of(procedure), sample_events()
    signed = form_versions(procedure, form, events[:4])
    version = fill_form(form, events[:4], sample_texts(), signed)
    assert (version.state, version.hash) == ("第1版，签署于2026年9月14日 14:00", signed[0].hash)
    working_copy = fill_form(form, events, sample_texts(), form_versions(procedure, form, events))
    assert (working_copy.state, working_copy.hash) == ("第1版之后的工作稿", "")
