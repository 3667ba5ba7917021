"""Erasure of people and of cases whose time is over."""
