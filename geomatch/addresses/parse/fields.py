"""Addresses that come in fields: the census's and the register's, made one line and parsed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.addresses.parse.rules import RulesParser
from geomatch.addresses.parse.town_names import without_cedex
from geomatch.arrays.rows import Columns, Rows
from geomatch.core.numerals import MONTHS
from geomatch.core.schema import text_array
from geomatch.core.street_keys import leading_type, street_types
from geomatch.core.street_types import street_type_table
from geomatch.core.text import normalise

_UNDISCLOSED = "[ND]"
#: A street name of words of three letters at least: no rank, no letter behind a number.
_LETTERS = re.compile(r"(?:(?:DE|DU|D|L|LA|LE|DES|LES) )*[A-Z]{3,}(?: [A-Z]{3,})*")
_COMMON_NUMBER = "7"
_NUMBERS = re.compile(r"^\W*(\d+)")


Texts = NDArray[np.object_]
#: What of a bulletin tells its address.
_TOLD = ("adresse", "numero", "rep", "type_voie", "nom_voie", "complement", "commune",
         "code_postal")  # fmt: skip


class _Parser(Protocol):
    def parse(self, texts: Sequence[str]) -> Rows: ...


def bulletin_parts(bulletins: Columns, parser: _Parser) -> Rows:
    """Address parts of bulletins.

    Parameters
    ----------
    bulletins : table of BULLETINS
        Its columns of the address, without null.
    parser : AddressParser
        Reads the one-line ``adresse`` where there is one, else the line that the census fields
        make together, so that both give the same parts.

    Returns
    -------
    Rows of ADDRESS_PARTS
        Aligned with `bulletins`. A commune or postcode in a column of its own replaces the one
        read in the line.
    """
    line, numero, rep, kind, name, more, town, code = (np.asarray(bulletins[c]) for c in _TOLD)
    made = [
        text if text else address_line(*fields)
        for text, *fields in zip(line, numero, rep, kind, name, more, strict=True)
    ]
    parts = _with_named_after_towns(parser.parse(made), line == "")
    return _with_place(parts, town, code)


def register_parts(establishments: pd.DataFrame) -> Rows:
    """Address parts of register rows (STORE_ESTABLISHMENTS), by rules; ``[ND]`` is empty.

    Returns
    -------
    Rows of ADDRESS_PARTS
        Aligned with `establishments`; the register's own range end goes to ``numero_fin``.
    """
    numero, rep, kind, name, more, last = (
        _disclosed(establishments[c])
        for c in ("numero", "rep", "type_voie", "nom_voie", "complement", "numero_fin")
    )
    register_forms = street_type_table().register_forms
    kind = np.array([register_forms.get(k, k) for k in kind], dtype=object)
    common, plain = _with_common_number(numero, rep, kind, name, more)
    made = [address_line(*fields) for fields in zip(common, rep, kind, name, more, strict=True)]
    parts = RulesParser().parse(made)
    parts = parts.plus(numero=np.where(plain, numero, parts["numero"]))
    parts = _with_named_after_towns(parts, np.ones(len(parts), dtype=bool))
    given = np.array([_digits(v) for v in last], dtype=object)
    parts = parts.plus(numero_fin=np.where(given != "", given, parts["numero_fin"]))
    town, code = (_disclosed(establishments[c]) for c in ("libelle_commune", "code_postal"))
    return _with_place(parts, town, code)


def _with_common_number(
    numero: NDArray[np.object_],
    rep: NDArray[np.object_],
    kind: NDArray[np.object_],
    name: NDArray[np.object_],
    more: NDArray[np.object_],
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """The numbers, one and the same where nothing in the line can be taken for a part of it.

    A street of a thousand plain house numbers is then parsed once. Also which rows these are.
    """
    plain_types = street_type_table().plain()
    is_street = {
        pair: pair[0] in plain_types and pair[1].isascii() and _LETTERS.fullmatch(pair[1])
        for pair in set(zip(kind, name, strict=True))
    }
    plain = np.array(
        [
            bool(n.isdigit() and n.isascii() and len(n) <= 4 and n[0] != "0"
                 and not r and not m and is_street[k, v])
            for n, r, k, v, m in zip(numero, rep, kind, name, more, strict=True)
        ],
        dtype=bool,
    )  # fmt: skip
    return np.where(plain, _COMMON_NUMBER, numero), plain


@lru_cache(maxsize=200_000)
def address_line(numero: str, rep: str, type_voie: str, nom_voie: str, complement: str) -> str:
    """The line that separate fields make; what the street field repeats is said once.

    ``("0012", "B", "R", "12 B RUE DU PORT", "")`` gives ``"12 B RUE DU PORT"``.
    """
    name, kind = normalise(nom_voie), _full_type(type_voie)
    number = _NUMBERS.match(numero)
    digits = number[1].lstrip("0") if number else ""
    if number and digits:
        rep = normalise(rep)
        name = _without_number(name, digits, rep)
        # 5-7 and 12BIS keep what follows their first number
        digits = f"{digits} {rep}{numero[number.end() :]}"
    if leading_type(name.split())[0] == kind:
        kind = ""
    line = " ".join(" ".join((digits, kind, name)).split())
    return f"{line}, {complement}" if complement.strip() else line


@lru_cache(maxsize=1_000)
def _full_type(written: str) -> str:
    """Type of street in full, as it is written when it is not known."""
    plain = normalise(written)
    return street_types().get(plain, plain)


def _without_number(name: str, digits: str, rep: str) -> str:
    """A street field without the house number that it repeats; a date keeps its day."""
    head = re.match(rf"0*{digits} ?(?:{rep}\b ?)?(?=[A-Z])", name)
    if head is None or name[head.end() :].split(" ", 1)[0] in MONTHS:
        return name
    return name[head.end() :]


def _with_named_after_towns(parts: Rows, is_fields: NDArray[np.bool_]) -> Rows:
    """Give back the street what was read as a town in fields that hold no town.

    In the street field, ``MARSEILLE`` or ``RUE DE PARIS`` is a street's name, and LE BOURG in
    the complement is no commune.
    """
    name, town = parts["nom_voie"], parts["commune"]
    plain = street_type_table().plain()
    is_type = np.array([n in plain for n in name], dtype=bool)
    lost = is_fields & (town != "") & ((name == "") | is_type)
    return parts.plus(
        type_voie=np.where(lost & is_type, name, parts["type_voie"]),
        nom_voie=np.where(lost, town, name),
        doubt=np.where(lost, "no type", parts["doubt"]),
        commune=np.where(is_fields, "", town),
    )


def _digits(value: str) -> str:
    found = _NUMBERS.match(value)
    return found[1].lstrip("0") if found else ""


def _disclosed(values: pd.Series) -> NDArray[np.object_]:
    array = text_array(values)
    hidden = array == _UNDISCLOSED
    if hidden.any():
        array = array.copy()
        array[hidden] = ""
    return array


def _with_place(parts: Rows, towns: Texts, postcodes: Texts) -> Rows:
    known = {town: without_cedex(normalise(town)) for town in set(towns)}
    given = np.array([known[t] for t in towns], dtype=object)
    codes = np.array([c if len(c) == 5 and c.isdigit() else "" for c in postcodes], dtype=object)
    said = np.array(["CEDEX" in t.upper() for t in towns], dtype=bool)
    return parts.plus(
        commune=np.where(given != "", given, parts["commune"]),
        code_postal=np.where(codes != "", codes, parts["code_postal"]),
        cedex=parts["cedex"] | said,
    )
