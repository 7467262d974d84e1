"""Plans in words: what would change, what was done, what will be due."""
