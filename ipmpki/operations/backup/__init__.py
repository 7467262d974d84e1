"""``ipmpki backup`` and ``restore``: the store and the declaration, sealed into one file and put back."""
