"""Keeping a store over the years: copying it, putting it back, changing its passphrase, looking after it."""
