"""Explanations of a procedure in Chinese or English, as text and as HTML: what the system does for each clause."""
