"""What can be wrong with a file that should be Mozilla's ``certdata.txt``: the fault, and the remedy."""

from __future__ import annotations

from typing import Final

from ipmpki.diagnostics.fault import Fault, UnreadableFile

DOWNLOAD: Final = "ipmpki bundle --download -o ca-cert.pem"
FETCH: Final = f"fetch it again: {DOWNLOAD}, or from Mozilla's repository with another program"


class NotCertdata(UnreadableFile):
    """The file is something else altogether, such as a PEM bundle or a proxy's page."""

    def __init__(self, name: str, found: str, remedy: str = FETCH) -> None:
        super().__init__(f"'{name}' is not Mozilla's certdata.txt: {found}", remedy)


class Damaged(UnreadableFile):
    """A line of the file is not as the format has it. ``line`` counts from 1."""

    def __init__(self, name: str, line: int, fault: str) -> None:
        super().__init__(f"'{name}' is damaged at line {line}: {fault}", FETCH)
        self.line = line


class CutOff(UnreadableFile):
    """The file ends before its last object does, as after a download that broke off. ``line`` is its last."""

    def __init__(self, name: str, line: int, fault: str) -> None:
        super().__init__(f"'{name}' is cut off after line {line}: {fault}", FETCH)
        self.line = line


class NothingKept(Fault):
    """Not one root is left after filtering: no bundle is better than one that trusts nobody."""

    exit_status = 1
