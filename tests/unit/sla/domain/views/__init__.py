"""Tests of services/sla/domain/views."""
