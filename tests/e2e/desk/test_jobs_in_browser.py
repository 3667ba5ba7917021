"""Each job of each role at the desk in a real Chromium, from sign-in to sign-out: in Chinese with script, in English without.

Taking a complaint is in test_registration_in_browser.py, what if in test_what_if_in_browser.py.
"""

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from services.sla.application.periodic_reports import DutyRunner
from services.sla.application.rulebooks import RulebookRegistry
from shared.procedures.loading.loader import load_organisation
from tests.e2e.desk.conftest import RunningDesk
from tests.e2e.desk.jobs import list_jobs, page_jobs
from tests.e2e.desk.jobs.case_jobs import (
    Job,
    action,
    answer_the_complainant,
    contact_data_stay_masked,
    correct_a_field_of_an_action,
    download_the_evidence,
    print_the_forms,
    read_the_case,
    read_the_case_as_of_a_past_instant,
    read_why_an_action_is_refused,
    the_closed_case_is_among_the_ended,
    unmask_contact_data_with_a_reason,
)
from tests.e2e.desk.jobs.steps import COMPLAINANTS, WORDS, Turn
from tests.integration.sla.application.test_periodic_reports import start_duties_at
from tests.support.browser import WatchedPage
from tests.support.messaging.all_services import PROCEDURE
from tests.support.waiting import wait_for

JOBS: list[tuple[str, list[Job]]] = [
    (
        "li",  # assistant and supervisor of the whole organisation
        [
            list_jobs.find_the_case,
            list_jobs.filter_the_inbox,
            list_jobs.save_open_and_delete_a_view,
            list_jobs.read_the_outcome_in_the_other_language,
            list_jobs.assign_several_cases,
        ],
    ),
    (
        "zhao",  # handler, and head of the repairs
        [
            list_jobs.find_the_case,
            read_the_case,
            contact_data_stay_masked,
            list_jobs.people_are_not_found_without_the_right,
            read_why_an_action_is_refused,
            action("object", "handler", text="不属维修部"),
        ],
    ),
    (
        "li",
        [
            action("rule", "supervisor", text="由维修部负责"),
            action("supplement", "assistant", text="二号楼也停了"),
            answer_the_complainant,
            correct_a_field_of_an_action,
            list_jobs.urge_several_cases,
        ],
    ),
    (
        "zhao",
        [
            action("start_work", "handler"),
            action("report_progress", "handler", text="配件已订购"),
            action("submit_measures", "handler", text="更换主板"),
            action("contact", "handler", text="已与业主沟通"),
        ],
    ),
    (
        "li",
        [
            action("suspend", "supervisor", text="等待配件"),
            action("resume", "supervisor", text="配件已到"),
            action("follow_up", "assistant", text="已跟进"),
        ],
    ),
    ("zhao", [action("handle", "handler", text="电梯已恢复")]),
    (
        "li",
        [
            action("call_back", "supervisor", text="客户满意", outcome="satisfied"),
            action("close", "supervisor"),
            the_closed_case_is_among_the_ended,
            read_the_case_as_of_a_past_instant,
            print_the_forms,
            download_the_evidence,
            unmask_contact_data_with_a_reason,
            list_jobs.find_the_complainant,
            list_jobs.acknowledge_an_escalation,
            list_jobs.acknowledge_in_the_inbox,
            list_jobs.decide_a_review,
            list_jobs.act_on_all_members_of_a_group,
            list_jobs.link_two_cases_that_are_the_same,
            page_jobs.read_a_regulation_with_live_figures,
            page_jobs.calculate_a_deadline,
            page_jobs.correct_a_duration,
            page_jobs.sign_a_report,
            page_jobs.read_the_keys,
            page_jobs.work_with_the_keys_alone,
            page_jobs.search_and_open_with_the_keys,
            page_jobs.ask_for_the_keys_with_a_key,
            page_jobs.sign_out_everywhere,
        ],
    ),
    (
        "sun",  # management
        [
            list_jobs.find_the_case,
            read_the_case,
            page_jobs.see_vacancies_and_who_is_reached,
            page_jobs.drill_down_to_the_cases_of_a_figure,
            page_jobs.download_the_figures,
            page_jobs.read_a_signed_report,
            page_jobs.watch_the_wallboard,
            page_jobs.change_language_and_look,
            page_jobs.sign_out,
        ],
    ),
]
"""Who does what, in this order: the case of the lift lives from its assignment to its end."""
WITH_SCRIPT_ALONE = {page_jobs.work_with_the_keys_alone, page_jobs.search_and_open_with_the_keys, page_jobs.ask_for_the_keys_with_a_key}


async def submit_cases(desk: RunningDesk, language: str) -> dict[str, str]:
    """The cases that the jobs of one round are about, by name."""
    long_ago = (desk.services["intake"].clock.now() - timedelta(days=20)).isoformat()
    contract = {"contract": f"HT-{language}"}
    leak = f"地下车库水管渗水 {language}"
    wanted: dict[str, tuple[str, str, dict[str, Any]]] = {
        "lift": ("hotline", f"三号楼{WORDS} {language}", {"complainant": COMPLAINANTS[language]}),
        "second": ("hotline", f"四号楼{WORDS} {language}", {}),
        "late": ("hotline", f"路灯不亮 {language}", {"received_at": long_ago}),
        "leak": ("hotline", leak, {}),
        "again": ("hotline", leak, {}),
        "danger": ("counter", f"配电箱冒烟 {language}", {"facts": {"danger": True}}),
        "review": ("counter", f"电梯门夹人 {language}", {}),
        "member": ("counter", f"押金不退还 {language}", {"facts": contract}),
        "other member": ("counter", f"合同押金未退 {language}", {"facts": contract, "complainant": {"phone": "13900005678"}}),
    }
    return {name: await desk.submit(text, f"{name}-{language}", source, **fields) for name, (source, text, fields) in wanted.items()}


async def draft_reports(desk: RunningDesk) -> None:
    """Let the duties of the regulations have begun a month ago, so that the reports of the weeks since are drafted now."""
    sla = desk.services["sla"]

    async def duties_have_begun() -> bool:
        async with sla.database.transaction() as tx:
            return bool(await tx.fetchval("SELECT count(*) FROM duty_start WHERE procedure = $1", PROCEDURE))

    await wait_for(duties_have_begun, what="the first case of the regulation in sla")
    await start_duties_at(sla, sla.clock.now() - timedelta(days=30))
    organisation = load_organisation(desk.organisation)
    await DutyRunner(RulebookRegistry(organisation, procedure_folder=desk.organisation.parent), sla.database, sla.clock).run_once()


async def do_jobs(desk: RunningDesk, pages: dict[str, WatchedPage], language: str, *, script: bool) -> None:
    cases = await submit_cases(desk, language)
    await draft_reports(desk)
    for person, jobs in JOBS:
        turn = Turn(desk, pages[person].page, language, cases)
        for job in jobs:
            if script or job not in WITH_SCRIPT_ALONE:
                await job(turn)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("language", "script"), [("zh", True), ("en", False)], ids=["zh with script", "en without"])
async def test_each_person_does_his_jobs(running_desk: RunningDesk, language: str, script: bool) -> None:
    async with AsyncExitStack() as stack:
        pages: dict[str, WatchedPage] = {}
        for person in dict(JOBS):
            context = await stack.enter_async_context(await running_desk.context(script=script))
            pages[person] = await running_desk.signed_in(context, person, language)
        await do_jobs(running_desk, pages, language, script=script)
        expected = ("status of 403", "status of 422")
        errors = [error for watched in pages.values() for error in watched.errors]
        assert [error for error in errors if not any(text in error for text in expected)] == []


@pytest.mark.timeout(300)
async def test_markup_of_a_complaint_runs_on_no_page(running_desk: RunningDesk) -> None:
    markup = "\"'><script>window.ran=1</script><img src=x onerror='window.ran=1'>"
    case = await running_desk.submit(f"{WORDS}{markup}", "markup")
    context = await running_desk.context()
    watched = await running_desk.signed_in(context, "li")
    await Turn(running_desk, watched.page, "zh", {}).open_case(case)
    await watched.page.locator(".quote blockquote", has_text=WORDS).wait_for()
    for path in ("", "/clocks", "/papers", "/actions/answer"):
        await watched.page.goto(f"{running_desk.address}/cases/{case}{path}")
        assert await watched.page.evaluate("window.ran") is None
        assert await watched.page.locator("img").count() == 0
    await watched.page.goto(f"{running_desk.address}/?query=%3Cscript%3Ewindow.ran%3D1%3C%2Fscript%3E")
    assert await watched.page.evaluate("window.ran") is None
    # The policy refused nothing, since no markup came as far as the browser's parser.
    assert watched.errors == []
    await context.close()
