"""Providers of text messages: one file for each kind."""
