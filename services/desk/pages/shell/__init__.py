"""What every page has around it: words, static files, switches, fault pages, live changes."""
