"""Tests of services/sla/domain/rules."""
