"""Tests of services/sla/domain/reports."""
