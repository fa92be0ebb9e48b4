"""One address line on its way through the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Line:
    """One line on its way: words, kinds with ``.`` for what is taken, and the parts so far."""

    words: list[str]
    kinds: str
    parts: dict[str, str] = field(default_factory=dict)
    is_cedex: bool = False
    doubt: str = ""

    def take(self, start: int, end: int) -> list[str]:
        """Words ``start … end-1``, which nobody else gets; separators are dropped."""
        words = [
            w
            for w, k in zip(self.words[start:end], self.kinds[start:end], strict=True)
            if k not in ",."
        ]
        self.kinds = self.kinds[:start] + "." * (end - start) + self.kinds[end:]
        return words

    def add(self, part: str, words: Sequence[str]) -> None:
        """Append words to a part."""
        if words:
            before = self.parts.get(part)
            self.parts[part] = " ".join([before, *words] if before else words)
