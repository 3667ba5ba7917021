"""Regulations as data: the model, its loader and its checks, and the packs."""
