"""The entry point of ``ipmpki`` and ``python -m ipmpki``."""

from __future__ import annotations

import sys

from ipmpki import __version__


def main() -> None:
    """Run the command line; ``--version`` alone is answered before anything heavy is imported."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"ipmpki {__version__}\n")
        return
    from ipmpki.cli.main import run

    run()


if __name__ == "__main__":
    main()
