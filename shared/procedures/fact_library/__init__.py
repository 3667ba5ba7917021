"""Facts that words show: expressions in Chinese and English that every procedure may use, as data."""
