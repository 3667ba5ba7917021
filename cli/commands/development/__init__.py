"""Commands for developers: golden schemas and generated reference pages."""
