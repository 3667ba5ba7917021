"""Inputs that wait until their case is registered, or until earlier deadlines have been processed."""
