"""The desk with real servers."""
