"""``python -m geomatch.cli``: the command line without its script."""

from __future__ import annotations

from geomatch.cli.app import main

if __name__ == "__main__":
    main()
