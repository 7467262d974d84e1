"""What can be wrong with a declaration or a certificate that TOML and types allow: one file a subject.

A rule is a pure function with a page of its own. It opens no file, asks no clock, mends nothing, and knows
neither plans nor how problems are shown.
"""
