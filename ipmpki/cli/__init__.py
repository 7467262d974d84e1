"""The command line: one file a command, each options in and words out.

It decides nothing about certificates: a command asks an operation, and shows what came of it.
"""
