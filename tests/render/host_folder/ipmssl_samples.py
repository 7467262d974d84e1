"""One table of ipmssl.cfg for install.sh and install.ps1: the same bytes come out of both."""

from __future__ import annotations

# What stands there, and what stands there afterwards, for a client that is to have EnableTLS = 1 alone.
EXAMPLES = {
    "commented out": (b"#EnableTLS=0\n", b"EnableTLS=1\n"),
    "commented out with a semicolon": (b";EnableTLS=0\n", b"EnableTLS=1\n"),
    "commented out with a blank": (b"# EnableTLS = 0\n", b"EnableTLS = 1\n"),
    "commented out twice over": (b"## EnableTLS = 0\n", b"EnableTLS = 1\n"),
    "indented": (b"  # EnableTLS = 0\n", b"  EnableTLS = 1\n"),
    "a tab for a delimiter": (b"#EnableTLS\t0\n", b"EnableTLS\t1\n"),
    "a blank for a delimiter": (b"# EnableTLS 0\n", b"EnableTLS 1\n"),
    "a colon for a delimiter": (b"#EnableTLS: 0\n", b"EnableTLS: 1\n"),
    "no value": (b"#EnableTLS=\n", b"EnableTLS=1\n"),
    "no value after a spaced sign": (b"#EnableTLS =\n", b"EnableTLS = 1\n"),
    "neither value nor delimiter": (b"#Port = 1\n#EnableTLS\n", b"#Port = 1\nEnableTLS = 1\n"),
    "another letter case": (b"#enabletls = 0\n", b"enabletls = 1\n"),
    "capitals": (b"ENABLETLS=0\n", b"ENABLETLS=1\n"),
    "quoted": (b'#EnableTLS = "0"\n', b'EnableTLS = "1"\n'),
    "a comment behind it": (b"#EnableTLS = 0   # 1 turns it on\n", b"EnableTLS = 1   # 1 turns it on\n"),
    "a comment for a value": (b"#EnableTLS = ; 0 or 1\n", b"EnableTLS = 1 ; 0 or 1\n"),
    "blanks at the end": (b"EnableTLS = 0  \n", b"EnableTLS = 1  \n"),
    "lines that end in CRLF": (b"# a\r\n#EnableTLS=0\r\nx\r\n", b"# a\r\nEnableTLS=1\r\nx\r\n"),
    "no final newline": (b"# a\n#EnableTLS=0", b"# a\nEnableTLS=1"),
    "no final newline, nothing shown": (b"Port = 1", b"Port = 1\nEnableTLS = 1\n"),
    "CRLF, nothing shown": (b"Port 1\r\nA=2\r\n", b"Port 1\r\nA=2\r\nEnableTLS=1\r\n"),
    "an empty file": (b"", b"EnableTLS=1\n"),
    "in force already": (b"EnableTLS = 1\n", b"EnableTLS = 1\n"),
    "in force in quotes": (b'EnableTLS = "1"\n', b'EnableTLS = "1"\n'),
    "in force beside an example": (b"#EnableTLS = 0\nEnableTLS = 0\n", b"#EnableTLS = 0\nEnableTLS = 1\n"),
    "twice, the last wrong": (b"EnableTLS=1\nEnableTLS=0\n", b"EnableTLS=1\nEnableTLS=1\n"),
    "twice, the last right": (b"EnableTLS=0\nEnableTLS=1\n", b"EnableTLS=0\nEnableTLS=1\n"),
    "two examples": (b"#EnableTLS=0\n#EnableTLS=2\n", b"EnableTLS=1\n#EnableTLS=2\n"),
    "prose before the example": (
        b"# EnableTLS: set this to 1 to encrypt\n# EnableTLS = 0\n",
        b"# EnableTLS: set this to 1 to encrypt\nEnableTLS = 1\n",
    ),
    "prose with a sign": (
        b"# EnableTLS = 1 encrypts, EnableTLS = 0 does not\n#EnableTLS = 0\n",
        b"# EnableTLS = 1 encrypts, EnableTLS = 0 does not\nEnableTLS = 1\n",
    ),
    "prose alone": (
        b"# EnableTLS turns encryption on\nPort = 1\n",
        b"# EnableTLS turns encryption on\nPort = 1\nEnableTLS = 1\n",
    ),
    "a longer keyword": (
        b"#EnableTLSv13=0\nMyEnableTLS=0\n#EnableTLS=0\n",
        b"#EnableTLSv13=0\nMyEnableTLS=0\nEnableTLS=1\n",
    ),
    "bytes that are no text": (b"# \xff\xfe\x80\n#EnableTLS=0\n", b"# \xff\xfe\x80\nEnableTLS=1\n"),
}

MARK = b"\xef\xbb\xbf"

# What an editor or another program left there.
FURTHER = {
    "a byte order mark": (MARK + b"EnableTLS=0\r\n", MARK + b"EnableTLS=1\r\n"),
    "a byte order mark, commented out": (MARK + b"#EnableTLS = 0\n", MARK + b"EnableTLS = 1\n"),
    "a byte order mark, nothing shown": (MARK + b"Port=1\n", MARK + b"Port=1\nEnableTLS=1\n"),
    "CRLF without a last line end": (b"A=1\r\nB=2", b"A=1\r\nB=2\r\nEnableTLS=1\r\n"),
    "a blank line first": (b"\n#EnableTLS=0\n", b"\nEnableTLS=1\n"),
    "a colon in prose above": (
        b"# Note: say what you want\n#Port=1\n",
        b"# Note: say what you want\n#Port=1\nEnableTLS=1\n",
    ),
    "a colon and one word": (b"#Port: 1\n", b"#Port: 1\nEnableTLS: 1\n"),
    "a carriage return at the very end": (b"A=1\nEnableTLS=0\r", b"A=1\nEnableTLS=1\r"),
    "carriage returns alone": (b"A=1\rEnableTLS=0\r", b"A=1\rEnableTLS=0\r\nEnableTLS=1\n"),
    "nothing but a byte order mark": (MARK, MARK + b"EnableTLS=1\n"),
    "an unfinished quote": (b'EnableTLS = "0\n', b'EnableTLS = "1"\n'),
}

# No plain text: refused, and said so.
REFUSED = {
    "UTF-16 of Windows": "EnableTLS=0\r\n".encode("utf-16"),
    "UTF-16 in the other order": b"\xfe\xff" + "EnableTLS=0\n".encode("utf-16-be"),
    "UTF-16 without its mark": "EnableTLS=0\n".encode("utf-16-le"),
}
