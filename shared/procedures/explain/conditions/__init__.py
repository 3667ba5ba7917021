"""CEL conditions in words: parsed to a tree, and each form of it phrased in Chinese or English."""
