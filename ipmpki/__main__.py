"""The entry point of ``ipmpki`` and ``python -m ipmpki``."""

from __future__ import annotations

import gc
import os
import sys

from ipmpki.version import version_line


def main() -> None:
    """Run the command line; ``--version`` alone is answered before anything heavy is imported."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        try:
            sys.stdout.write(f"{version_line()}\n")
            sys.stdout.flush()
        except OSError:  # run() tells what is wrong
            pass
        else:
            return
    # A command makes many objects that live until it ends: looking for garbage among them every 700 costs a
    # sixth of a plan of 10,000 hosts. pydantic would search all installed packages for plugins of its own.
    gc.set_threshold(100_000, 50, 50)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from ipmpki.cli.main import run

        run()
    except KeyboardInterrupt:  # before or after the command's own work
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
