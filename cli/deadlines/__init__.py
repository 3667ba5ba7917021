"""Deadline questions from the command line or a file: parsing, computing, printing."""
