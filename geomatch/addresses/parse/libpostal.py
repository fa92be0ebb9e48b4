"""The libpostal parser: a C library and its trained model, one in each process.

libpostal reads the folder of its data from an environment variable when it is first imported,
keeps one model for the whole process and is not thread-safe. So the model is loaded at the first
parse (in each worker, then), calls are serialised by a lock, and a process that has loaded one
folder cannot use another.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geomatch.addresses.parse.numbers import read_number
from geomatch.addresses.parse.rules import parts_rows
from geomatch.addresses.parse.tokens import MAX_LINE, tokenise
from geomatch.addresses.parse.town_names import without_cedex
from geomatch.arrays.rows import Rows
from geomatch.core.errors import ConfigError
from geomatch.core.schema import ADDRESS_PARTS
from geomatch.core.street_keys import expand_words, leading_type, street_words
from geomatch.core.text import normalise

ENVIRONMENT_VARIABLE = "LIBPOSTAL_DATA_DIR"
#: Files without which the parser does not start; the model itself has had two names.
_NEEDED = (
    "transliteration/transliteration.dat",
    "numex/numex.dat",
    "address_expansions/address_dictionary.dat",
    "address_parser/address_parser_vocab.trie",
    "address_parser/address_parser_phrases.dat",
    "address_parser/address_parser_postal_codes.dat",
)
_MODELS = ("address_parser_crf.dat", "address_parser.dat")
_WHERE = (
    "get them with 'libpostal_data download parser FOLDER' (about 1.9 GB; the tool comes with "
    "libpostal), or use a smaller French folder, and name it in [addresses] libpostal_data or in "
    f"{ENVIRONMENT_VARIABLE}"
)
#: Label of libpostal → part.
_PARTS: Mapping[str, str] = {
    "house_number": "numero",
    "road": "nom_voie",
    "suburb": "lieu",
    "city_district": "lieu",
    "unit": "complement",
    "level": "complement",
    "staircase": "complement",
    "entrance": "complement",
    "po_box": "complement",
    "house": "nom",
    "category": "nom",
    "near": "nom",
    "postcode": "code_postal",
    "city": "commune",
}

_Labelled = Sequence[tuple[str, str]]
_lock = threading.Lock()


@dataclass
class _Process:
    """What this process has loaded."""

    folder: str = ""
    parse: Callable[..., _Labelled] | None = None


_process = _Process()


@dataclass(frozen=True)
class LibpostalParser:
    """Address lines cut by libpostal, brought to the same words as the rules give.

    Parameters
    ----------
    folder : str
        Folder of libpostal's data; empty: the environment's LIBPOSTAL_DATA_DIR. Checked here,
        loaded at the first parse.

    Raises
    ------
    ConfigError
        When the library or its data are not there.
    """

    folder: str = ""
    name: str = field(default="libpostal", init=False)

    def __post_init__(self) -> None:
        problem = libpostal_problem(self.folder)
        if problem:
            raise ConfigError(problem)

    def parse(self, texts: Sequence[str]) -> Rows:
        """Parts of each line: ADDRESS_PARTS with as many rows as texts."""
        with _lock:
            parse = _load(_folder(self.folder))
            rows = {text: _row(_labelled(parse, text)) for text in dict.fromkeys(texts)}
        return parts_rows([rows[text] for text in texts])


def libpostal_problem(folder: str = "") -> str:
    """Why libpostal cannot be used, and what to do; '' when it can."""
    if importlib.util.find_spec("postal") is None:
        return (
            "libpostal is not installed; install the extra: "
            "pip install 'geomatch-sirene[libpostal]'"
        )
    path = _folder(folder)
    if not path:
        return f"no folder of libpostal data is named; {_WHERE}"
    root = Path(path)
    missing = [f for f in _NEEDED if not (root / f).is_file()]
    if not any((root / "address_parser" / m).is_file() for m in _MODELS):
        missing.append(f"address_parser/{_MODELS[0]}")
    if missing:
        return f"libpostal data in {path} are incomplete: {', '.join(missing)} missing; {_WHERE}"
    return ""


def _folder(folder: str) -> str:
    path = folder or os.environ.get(ENVIRONMENT_VARIABLE, "")
    return str(Path(path).resolve()) if path else ""


def _load(folder: str) -> Callable[..., _Labelled]:
    """The process's parser, loaded once; the caller holds the lock."""
    if _process.parse is None:
        os.environ[ENVIRONMENT_VARIABLE] = folder
        try:
            _process.parse = importlib.import_module("postal.parser").parse_address
        except (ImportError, RuntimeError, SystemError) as error:
            raise ConfigError(f"libpostal does not start with {folder}: {error}") from error
        _process.folder = folder
    if _process.folder != folder:
        raise ConfigError(
            f"libpostal is loaded from {_process.folder} in this process and cannot be loaded "
            f"again from {folder}; start another process"
        )
    return _process.parse


def _labelled(parse: Callable[..., _Labelled], text: str) -> _Labelled:
    """Labelled pieces of a line; control characters would end it early."""
    line = "".join(c if c.isprintable() else " " for c in text[:MAX_LINE]).strip()
    return parse(line, language="fr", country="fr") if line else ()


def _row(labelled: _Labelled) -> tuple[object, ...]:
    pieces: dict[str, list[str]] = {}
    for value, label in labelled:
        part = _PARTS.get(label)
        if part:
            pieces.setdefault(part, []).append(value)
    parts = {part: normalise(" ".join(values)) for part, values in pieces.items()}
    parts |= _number(pieces.get("numero", []))
    road = street_words(parts.get("nom_voie", ""))
    kind, used = leading_type(road)
    name = expand_words(road[used:])
    parts["type_voie"], parts["nom_voie"] = (kind, " ".join(name)) if name else ("", " ".join(road))
    town = parts.get("commune", "")
    parts["commune"] = without_cedex(town)
    parts["code_postal"] = next(
        (w for w in parts.get("code_postal", "").split() if len(w) == 5), ""
    )
    out: dict[str, object] = {c: parts.get(c, "") for c in ADDRESS_PARTS.columns}
    out["cedex"] = "CEDEX" in town
    out["doubt"] = (
        "" if kind and name else "no type" if road else "no street" if pieces else "empty"
    )
    return tuple(out[c] for c in ADDRESS_PARTS.columns)


def _number(pieces: Sequence[str]) -> dict[str, str]:
    """``12 bis``, ``5-7``, ``12b`` → numero, rep, numero_fin."""
    words, kinds = tokenise(" ".join(pieces))
    numbers = [read_number(w) for w in words if w[0].isdigit()]
    numbers = [n for n in numbers if n.numero]
    if not numbers:
        return {"numero": ""}
    after = words[1] if len(words) > 1 and kinds[1] in "RL" else ""
    return {
        "numero": numbers[0].numero,
        "rep": numbers[0].rep or after.lower(),
        "numero_fin": numbers[1].numero if len(numbers) > 1 else "",
    }
