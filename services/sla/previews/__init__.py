"""Previews for staff: the complainant on his page, and the recipients of an action's messages."""
