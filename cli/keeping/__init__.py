"""Erasure of people and deletion of data past their retention, across all services."""
