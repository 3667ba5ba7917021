"""Dead letters and parked cases: storing, listing, requesting redelivery."""
