"""``ipmpki doctor``: what is wrong with a store, and saving what can be saved of it."""
