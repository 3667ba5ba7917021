"""The page on which a complaint by phone or at the counter is taken."""

from services.desk.pages.registration.registration_page import router

__all__ = ["router"]
