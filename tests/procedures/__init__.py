"""Tests of the procedure packs and their scenarios."""
