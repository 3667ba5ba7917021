"""Tests of deploy/embedded: servers that are killed, frozen and started again."""
