"""The HTML of a mail: from its text, by one layout."""
