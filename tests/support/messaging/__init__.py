"""Senders and readers of CloudEvents, settings for services, sample organisation and complaints, workloads."""
