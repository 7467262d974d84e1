"""Rules about certificates, keys and CRLs that are shown to ``ipmpki verify``, whoever made them."""
