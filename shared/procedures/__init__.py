"""Procedures: regulations as data, with their model, loader, checks, explanations and packs."""
