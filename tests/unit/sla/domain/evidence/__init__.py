"""Tests of services/sla/domain/evidence."""
