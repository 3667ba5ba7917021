"""Timers of cases, and leased work queues."""
