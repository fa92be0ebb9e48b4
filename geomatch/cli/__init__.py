"""The command line: each command parses its options, calls one function and prints.

Results go to stdout, progress and logs to stderr. Commands are functions of the modules of their
group; ``app`` lists them.
"""

from __future__ import annotations

from geomatch.cli.app import app, main

__all__ = ["app", "main"]
