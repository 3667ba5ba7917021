"""Complainants for people who may see them: search by exact name or phone, and recorded unmasking."""
