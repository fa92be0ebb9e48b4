"""A fictional département in exactly the official file layouts, and bulletins about it.

Everything in it is invented: names come from the word lists beside this file, places from a
seeded generator. It shows what the program does and tests it; it says nothing about how good
the program is on real bulletins.
"""

from __future__ import annotations

from geomatch.demo.generate import DemoFiles, generate
from geomatch.demo.page import write_demo_page

__all__ = ["DemoFiles", "generate", "write_demo_page"]
