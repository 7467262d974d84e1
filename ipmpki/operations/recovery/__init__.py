"""What dist/ proves where a store was lost, emptied or put back from an older backup.

Such a store would issue what nobody trusts, and let in again whom it has forgotten to have revoked. What was
published is still there, signed. A list's number and entries, and certificates with their keys, are taken
over from it; an authority whose key was in the store alone cannot be, and that is said before anything is
changed.
"""
