"""`lstmtext`, and `python -m lstmtext`, which is the same."""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line. Ctrl-C is no traceback from the first import on."""
    try:
        from lstmtext.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
