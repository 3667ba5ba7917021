"""The look that all pages of the services share."""
