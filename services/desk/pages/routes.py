"""Joins the routes of all pages."""

from fastapi import FastAPI

from services.desk.pages import help_page, hints, inbox_page, person_search, registration, saved_views
from services.desk.pages.case import action_page, case_page, complainant_view, contact_page
from services.desk.pages.case.messages import message_page
from services.desk.pages.deciding import escalations_page, group_page, groups_page, proposals_page, reviews_page
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.management import management_page, reports_page, wallboard_page
from services.desk.pages.reference import calculator_page, clocks_page, organisation_page, regulation_page
from services.desk.pages.registration import opening_page
from services.desk.pages.shell import faults, live, preferences, static_files
from services.desk.papers import routes as papers
from services.desk.what_if import routes as what_if


def add_routes(app: FastAPI, dependencies: DeskDependencies) -> None:
    """Add every page; a new one is a line here."""
    app.state.dependencies = dependencies
    app.include_router(static_files.router(dependencies.pages.static_files))
    app.include_router(preferences.router(secure=dependencies.pages.has_secure_cookies))
    for page in (
        inbox_page,
        registration,
        opening_page,
        reviews_page,
        escalations_page,
        groups_page,
        group_page,
        proposals_page,
        case_page,
        contact_page,
        complainant_view,
        message_page,
        action_page,
        saved_views,
        person_search,
        help_page,
        hints,
        live,
        papers,
        calculator_page,
        regulation_page,
        what_if,
        organisation_page,
        clocks_page,
        management_page,
        reports_page,
        wallboard_page,
    ):
        app.include_router(page.router(dependencies))
    faults.add_fault_pages(app, dependencies.pages)
