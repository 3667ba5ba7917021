"""Notify with real peers, a real broker and a real database."""
