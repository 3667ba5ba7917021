"""Tests of services/sla/domain/deadlines."""
