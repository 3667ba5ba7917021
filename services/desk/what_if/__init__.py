"""What if: change the numbers of a regulation in the browser, and see what would have differed."""
