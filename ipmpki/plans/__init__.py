"""What a build would change, and why: pure functions of fleet, store, disk and clock, all of them given.

It decides, and does nothing: it makes no key and no certificate, opens no file, and words nothing for a
terminal. Rules never meet it: what is wrong and what is due are two questions.
"""
