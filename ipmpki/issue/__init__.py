"""Carries a plan out: makes keys, signs certificates and lists, and commits them to the store.

It decides nothing that the plan has not, and knows nothing of dist/ or of how files are rendered.
"""
