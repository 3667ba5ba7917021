"""Sentences with the facts that they show, and how well the fact library reads them."""
