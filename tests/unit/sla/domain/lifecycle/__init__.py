"""Tests of services/sla/domain/lifecycle."""
