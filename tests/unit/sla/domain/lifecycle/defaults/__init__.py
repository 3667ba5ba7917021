"""Tests of the default rules for actions."""
