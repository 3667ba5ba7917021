"""Tests of services/sla/what_if."""
