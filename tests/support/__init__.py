"""Support that several test folders use."""
