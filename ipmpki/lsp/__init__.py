"""A language server for pki.toml and the files it includes: ``ipmpki lsp``.

``server`` speaks the Language Server Protocol (3.17) through pygls; what it says is computed by the other
modules from texts and positions. Nothing here writes to the disk, and the store is read without its lock.
What is wrong is known by the rules alone, and nothing is planned, issued or published.
"""
