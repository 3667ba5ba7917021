"""Compares tables and topics with the accepted submissions to find loss, duplication and disorder."""
