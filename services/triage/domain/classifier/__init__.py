"""The served text classifier: n-grams of a reading copy, linear scores, calibrated probabilities, explained."""
