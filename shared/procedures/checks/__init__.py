"""Checks of a loaded procedure, one module for each kind of mistake; all pure."""
