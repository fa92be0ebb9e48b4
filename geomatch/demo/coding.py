"""What an earlier coding made of a bulletin: the past columns of the census layout.

Automatic codes (MCA) are right 92 times in 100, as published for the real ones; the clerk's
and the final code err too. Nobody should learn the truth from these columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from geomatch.core.text import normalise
from geomatch.demo.register import Establishment

#: Share of bulletins by class when the written name is the register's, and when it is not.
_CLASSES: Mapping[bool, Mapping[str, float]] = {
    True: {"C": 0.74, "D": 0.16, "E": 0.04, "": 0.06},
    False: {"C": 0.33, "D": 0.27, "E": 0.13, "": 0.27},
}
_RIGHT = {"C": 0.92, "D": 0.58, "E": 0.2}


def past_coding(
    random: Random,
    columns: Mapping[str, str],
    truth: Establishment | None,
    register: Sequence[Establishment],
) -> dict[str, str]:
    """CLT_C_C, X, Y, QUAL, SIRETC, I_MCA_C and its notes, SIRETM, SIRET_DEC of one bulletin."""
    coded_class = _coded_class(random, columns["RS_X"], truth)
    siret_mca = _siret(random, truth, register, right=_RIGHT.get(coded_class, 0.0))
    if not coded_class:
        siret_mca = ""
    is_coded = coded_class == "C"
    by_clerk = "" if is_coded else _siret(random, truth, register, right=0.89, absent=0.1)
    return {
        **_place(random, columns, truth),
        "SIRETC": siret_mca,
        "I_MCA_C": coded_class,
        "NOTE_MCA_NOM_C": _note(random, coded_class, 700, 1000),
        "NOTE_MCA_ADR_C": _note(random, coded_class, 300, 1000),
        "SIRETM": by_clerk,
        "SIRET_DEC": siret_mca if is_coded else by_clerk,
    }


def _coded_class(random: Random, written: str, truth: Establishment | None) -> str:
    if truth is None:
        return random.choices(("C", "D", "E", ""), (0.05, 0.15, 0.25, 0.55))[0]
    known = (truth.enseigne, truth.nom, truth.unit.denomination)
    classes = _CLASSES[written in {normalise(name) for name in known if name}]
    return random.choices(list(classes), list(classes.values()))[0]


def _siret(
    random: Random,
    truth: Establishment | None,
    register: Sequence[Establishment],
    *,
    right: float,
    absent: float = 0.0,
) -> str:
    """The true code, or another one; `absent`: the share left without a code."""
    if random.random() < absent or (truth is None and random.random() < 0.8):
        return ""
    if truth is not None and random.random() < right:
        return truth.siret
    return random.choice(register).siret


def _note(random: Random, coded_class: str, least: int, most: int) -> str:
    if not coded_class:
        return ""
    less = {"C": 0, "D": 200, "E": 300}[coded_class]
    return str(random.randint(least - less, most - less))


def _place(
    random: Random, columns: Mapping[str, str], truth: Establishment | None
) -> dict[str, str]:
    """Commune of work and INSEE's geolocation: 1 number … 8.5 commune only, 9 none."""
    if truth is None or random.random() < 0.09:
        return {
            "CLT_C_C": columns["DEPCOM_CODE"] if truth is None else "",
            "X": "",
            "Y": "",
            "QUAL": "9",
        }
    settlement = truth.settlement
    code = settlement.code_en_vigueur
    if not columns["NOMVOI_X"] or random.random() < 0.2:
        return {
            "CLT_C_C": code,
            "X": f"{settlement.x:.0f}",
            "Y": f"{settlement.y:.0f}",
            "QUAL": "8.5",
        }
    sure = ("1", "1", "1", "2.1") if columns["NUMVOI_X"] else ("2.2", "2.2", "8")
    x, y = truth.house.x, truth.house.y
    return {"CLT_C_C": code, "X": f"{x:.0f}", "Y": f"{y:.0f}", "QUAL": random.choice(sure)}
