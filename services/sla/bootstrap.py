"""Builds sla from its settings: the only module that connects its parts."""

from datetime import timedelta

from services.sla import api, api_forms, api_lists, api_reports, handlers, timers
from services.sla.application.actions import TakeHttpActions
from services.sla.application.case_list import ListCases
from services.sla.application.cases import UpdateCases
from services.sla.application.forms.form_queries import FormQueries
from services.sla.application.identity import IdentityRegistry
from services.sla.application.keeping.sealed_contacts import SealedContacts
from services.sla.application.lists.list_queries import ListQueries
from services.sla.application.periodic_reports import DutyRunner
from services.sla.application.queries import CaseQueries
from services.sla.application.reports.improvement_actions import TrackImprovements
from services.sla.application.reports.report_queries import ReportQueries
from services.sla.application.reviews.review_queue import ReviewQueue
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.attachments import routes as attachment_routes
from services.sla.attachments.access import CaseAttachments
from services.sla.calculator import routes as calculator_routes
from services.sla.calculator.calculation import CalculateDeadlines
from services.sla.config import SlaSettings
from services.sla.evidence import routes as evidence_routes
from services.sla.evidence.download import DownloadEvidence
from services.sla.evidence.past_cases import ReadPastCase
from services.sla.follow import routes
from services.sla.follow.access import FollowCases
from services.sla.people import routes as people_routes
from services.sla.people.complainants import Complainants
from services.sla.previews import action_messages, complainant_view
from services.sla.reviews import routes as review_routes
from services.sla.what_if import routes as what_if_routes
from services.sla.what_if.orders import TrialOrders
from services.sla.what_if.running import TrialLimits, TrialRunner
from services.sla.what_if.trials import Trials
from shared.contracts.attachments import AttachmentKeys
from shared.contracts.follow_codes import follow_key
from shared.contracts.person_keys import pseudonym_key
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation
from shared.runtime.http.identity.people import open_people
from shared.runtime.service import Service


def build(settings: SlaSettings) -> Service:
    """The service, ready to run; raises for an organisation file, a procedure or a setting that cannot be used."""
    service = Service("sla", settings, migrations="services.sla.migrations")
    organisation = load_checked_organisation(settings.organisation)
    rulebooks = RulebookRegistry(organisation, procedure_folder=settings.organisation.parent)
    identities = IdentityRegistry(organisation, open_people(organisation, settings, service.clock))
    follow_secret = settings.follow_key.get_secret_value()
    attachment_keys = AttachmentKeys.parse(settings.attachment_key.get_secret_value())
    follow = follow_key(follow_secret) if follow_secret else None
    secret = settings.pseudonym_key.get_secret_value()
    pseudonyms = pseudonym_key(secret) if secret else None
    has_keys = bool(settings.sealing_keys.get_secret_value())
    contacts = SealedContacts(service.key_ring, pseudonyms) if pseudonyms is not None and has_keys else None
    shared_parts = (service.clock, follow, attachment_keys, service.tracing, settings.topic_partitions)
    cases = UpdateCases(rulebooks, identities, *shared_parts, contacts)
    # Before the others: the watermark that they use exists once the service is subscribed.
    handlers.register(service, cases, identities)
    duties = DutyRunner(rulebooks, service.database, service.clock)
    timers.register(service, cases, duties, settings)
    actions = TakeHttpActions(cases, service.database, service.watermark, settings.action_wait)
    queries = CaseQueries(service.database, rulebooks, identities, service.clock)
    case_list = ListCases(queries, settings.phone_region, pseudonyms)
    dependencies = api.SlaApiDependencies(identities, actions, queries, case_list, settings.requests_per_second)
    service.include_router(api.router(dependencies))
    service.include_router(action_messages.router(dependencies, action_messages.PreviewActionMessages(actions, queries)))
    service.include_router(api_forms.router(dependencies, FormQueries(queries)))
    service.include_router(calculator_routes.router(dependencies, CalculateDeadlines(rulebooks)))
    service.include_router(evidence_routes.router(dependencies, DownloadEvidence(queries), ReadPastCase(queries)))
    reviews = ReviewQueue(queries, actions, timedelta(minutes=settings.review_lease_minutes))
    service.include_router(review_routes.router(dependencies, reviews))
    service.include_router(people_routes.router(dependencies, Complainants(queries, case_list, contacts)))
    trials = Trials(queries, TrialRunner(queries, service.stopping, TrialLimits()))
    service.include_router(what_if_routes.router(dependencies, TrialOrders(organisation, settings.organisation.parent), trials))
    lists = ListQueries(queries)
    service.include_router(api_lists.router(dependencies, lists))
    service.include_router(api_reports.router(dependencies, ReportQueries(queries, lists), TrackImprovements(queries, lists)))
    if attachment_keys is not None:
        lifetime = timedelta(seconds=settings.attachment_url_seconds)
        attachments = CaseAttachments(queries, attachment_keys, settings.attachment_url, lifetime)
        service.include_router(attachment_routes.router(dependencies, attachments))
    if follow_secret:
        service.include_router(complainant_view.router(dependencies, complainant_view.PreviewComplainantView(queries)))
        service.include_router(routes.router(FollowCases(actions, queries), settings.follow_requests_per_second))
    return service
