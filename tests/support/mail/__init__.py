"""Mails for tests: samples, a builder, and hostile ones."""
