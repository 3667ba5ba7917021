"""Tests of the installed packs and of the demo's organisation."""
