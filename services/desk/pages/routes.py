"""Joins the routes of all pages."""

from fastapi import FastAPI

from services.desk.pages import case_page, help_page, inbox_page, registration, saved_views
from services.desk.pages.deciding import escalations_page, group_page, reviews_page
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.shell import faults, live, preferences, static_files


def add_routes(app: FastAPI, dependencies: DeskDependencies) -> None:
    """Add every page; a new one is a line here."""
    app.state.dependencies = dependencies
    app.include_router(static_files.router(dependencies.pages.static_files))
    app.include_router(preferences.router())
    deciding = (reviews_page, escalations_page, group_page)
    for page in (inbox_page, registration, *deciding, case_page, saved_views, help_page, live):
        app.include_router(page.router(dependencies))
    faults.add_fault_pages(app, dependencies.pages)
