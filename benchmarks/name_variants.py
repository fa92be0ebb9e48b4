"""Variants of a name that a person does not see: first rank beside the name as registered.

Draws establishments from a store whose name allows a variant, writes each both ways with its
official commune code and nothing else, and tells by kind how often the establishment comes first.
One JSON line a kind.
"""

from __future__ import annotations

import argparse
import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from geomatch.core.config import Config
from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.linkage.matcher import Matcher
from geomatch.store.reader import Store

_NUMBERS = dict(zip(["DEUX", "TROIS", "QUATRE", "CINQ", "SIX", "SEPT"], "234567", strict=True))
_WORDS = {digit: word for word, digit in _NUMBERS.items()}


def _split(name: str) -> str:
    return re.sub(r"\b([A-Z]{4,5})([A-Z]{4,})\b", r"\1 \2", name, count=1)


def _joined(name: str) -> str:
    return re.sub(r"\b([A-Z]{3,}) ([A-Z]{3,})\b", r"\1\2", name, count=1)


def _counted(table: dict[str, str]) -> Callable[[str], str]:
    asked = re.compile(rf"\b({'|'.join(table)})\b")
    return lambda name: asked.sub(lambda m: table[m.group()], name)


#: Kind → what it makes of a name; a name that it leaves alone is not drawn.
KINDS: dict[str, Callable[[str], str]] = {
    "word split": _split,
    "words joined": _joined,
    "dots dropped": lambda n: re.sub(r"\b(?:[A-Z]\.){2,}", lambda m: m[0].replace(".", ""), n),
    "ampersand dropped": lambda n: re.sub(r" ?& ?", " ", n),
    "plus as sign": lambda n: re.sub(r"\bPLUS\b", "+", n),
    "at sign": lambda n: n.replace("@", "A"),
    "digits for words": _counted(_NUMBERS),
    "words for digits": _counted(_WORDS),
    "apostrophe joined": lambda n: re.sub(r"\b([A-Z]{1,5})'(?=[A-Z]{3})", r"\1", n),
}


def drawn(establishments: pd.DataFrame, kind: str, most: int) -> pd.DataFrame:
    """Establishments with the variant of their name; each legal name once, in a fixed order."""
    own = establishments["enseignes"].where(
        ~establishments["enseignes"].str.contains("|", regex=False), ""
    )
    told = own.where(own != "", establishments["denomination"]).str.upper()
    names = establishments.assign(control=told, variant=told.map(KINDS[kind]))
    names = names[(names["variant"] != names["control"]) & (names["control"].str.len() < 40)]
    names = names.drop_duplicates("control", keep=False)
    order = names["siret"].map(lambda s: zlib.crc32(f"{kind}{s}".encode()))
    return names.loc[order.sort_values(kind="stable").index[:most]]


def measured(matcher: Matcher, chosen: pd.DataFrame) -> dict[str, float]:
    """First rank of the variants and of the names as registered."""
    out: dict[str, float] = {"n": len(chosen)}
    for which in ("control", "variant"):
        bulletins = pd.DataFrame(
            {
                "id": chosen["siret"],
                "raison_sociale": chosen[which],
                "code_commune": chosen["code_commune"],
            }
        )
        found = matcher.match(bulletins.reset_index(drop=True)).candidates
        best = found.drop_duplicates("id")
        out[which] = round(float((best["id"] == best["siret"]).sum() / max(len(chosen), 1)), 3)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("build/store"))
    parser.add_argument("--model", default="")
    parser.add_argument("--departements", default="", help="comma-separated; all by default")
    parser.add_argument("--names", type=int, default=300, help="names of each kind at most")
    asked = parser.parse_args()
    store = Store.open(asked.store)
    where = asked.departements.split(",") if asked.departements else store.departements
    parts = [store.departement(STORE_ESTABLISHMENTS, code) for code in where]
    establishments = pd.concat(parts, ignore_index=True)
    matcher = Matcher.open(asked.store, Config(model=asked.model))
    for kind in KINDS:
        chosen = drawn(establishments, kind, asked.names)
        print(json.dumps({"kind": kind, **measured(matcher, chosen)}), flush=True)


if __name__ == "__main__":
    main()
