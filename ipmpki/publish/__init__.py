"""The only writer of dist/: puts rendered files where hosts fetch them, each folder whole or not at all.

It knows nothing of keys and signatures but their bytes, and judges nothing.
"""
