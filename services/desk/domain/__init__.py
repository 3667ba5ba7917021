"""Pure parts of the desk: projection of events to rows, search grams, filters, viewers."""
