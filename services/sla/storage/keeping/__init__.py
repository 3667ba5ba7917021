"""Retention: erasures, legal holds, and the cases whose time is over."""
