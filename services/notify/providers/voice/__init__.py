"""Calls people and reads messages to them, through a call-out system."""
