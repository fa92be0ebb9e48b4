"""Regular expressions over the kinds of words (see :mod:`geomatch.addresses.parse.tokens`)."""

from __future__ import annotations

import re

# Named groups: n number, r repetition, m last number of a range; s where the
# street begins.
BOX = re.compile("B[L,]*[NP]?")
RANK_AFTER_TOWN = re.compile("C[NO]?|[NO](?=,|$)")
TOWN = re.compile(",?(?P<town>T?[^,NPBCT.O]+)")
#: BAT B, 2E ETAGE GAUCHE, APPT 14; never DE L ENTREE.
INSIDE = re.compile("(?<![Ss])(?:OE[LW]?|E(?:[NLOs]|W(?=[,.]|$|N))?)")
#: 12, 12 BIS, 12 B, 12 A 14, before a type.
NUMBERED = (
    "(?P<n>[NP])(?:,?(?P<r>[RLs]R?)(?=,?{0}|[sSN,]?[NP]R?,?{0}))?"
    "(?:[sSL](?P<m>[NP])[RL]?)?,?(?P<s>{0})"
)
#: 10, 12 ET 14 or 10 12 14, before a type: LIST looks no farther than its last repetition.
LIST = re.compile("N[RL]?(?:(?:,?[sS]|,)?N[RL]?)+(?=,?T)")
#: Where the street is, the surest sign first.
ANCHORS = tuple(
    re.compile(pattern)
    for pattern in (
        "^(?P<n>[NP])(?P<m>[NP])R?,?(?P<s>T)",  # 5 7 RUE DU FOUR
        # 12 8EME RUE: the rank is the name's
        "(?:^|(?<=[,.])|(?P<n>[NP])(?P<r>R)?,?)(?P<s>OT)(?=[^,.])",
        NUMBERED.format("T"),  # 12 BIS RUE DU FOUR
        "(?:^|[,.])(?P<s>T)(?=[^,.])",  # RUE DU FOUR, at the head of a piece
        "(?<![Ss])(?P<s>T)(?=[^,.])",  # MAIRIE RUE DU FOUR
        NUMBERED.format("[tZ]"),  # 3 COUR DES LIONS, 12 RESIDENCE LES PINS
        # 11 LE CALLOU, 12 B LILAS, 27 BIS 5 ORMES: no type at all
        "(?P<n>[NP])(?:(?:,(?=R))?(?P<r>[RL]|s(?=[SsWLDOIMt]))(?=,?[SsWLDOIMtN]))?(?:[sSL](?P<m>[NP])[RL]?)?,?"
        "(?P<s>[SsWLDOIt]|N(?=W))",
        "(?:^|[,.])(?P<s>Z)",  # ZA DES CHENES
        "(?<![Ss])(?P<s>Z)",
        "(?:^|[,.])(?P<s>t)",  # PARC DES ORMES
    )
)
#: A street ends at a comma, a box, a building, a zone, another street, CEDEX.
STREET_END = re.compile("[,.B]|(?<![Ss])O?E|(?<![Ss])Z|(?<=[WMNI])T|C")
#: BOULEVARD DES TILLEULS 61, AVENUE GEORGE V 15, PLACE DU MARCHE 4 A 6.
TRAILING_NUMBER = re.compile(
    "(?:(?<=[WIDtM])|(?<=WL)),?(?P<n>[NP])(?P<r>[RLs])?(?:[sS](?P<m>[NP]))?(?=[,.]|$)"
)
TOWN_AT_END = re.compile("[.,](?P<town>[WSstDM]+[NO]?)[.,]*$")
#: What follows a month: the year of a date, short or in full.
YEAR = re.compile(r"(?:1[789]|20)\d\d$|14$|18$|4[0-5]$|62$")
#: DE LA BANQUE is a street without its type, LA BANQUE a bank.
OF = frozenset({"DE", "DU", "DES", "D"})
NUMBER_ALONE = re.compile("[.,]*(?P<n>N)[.,]*")
UNTYPED = re.compile("(?:(?<=[.,])|^)(?:[WODMtLN][WSsLODMNtT]*|[Ss][WSsLODMNtIT]+)")
OCR = str.maketrans({"O": "0", "I": "1", "L": "1", "S": "5", "B": "8"})
LIKE_NUMBER = re.compile(r"(?:[OIL]\d{1,3}|\d{1,3}[OI]\d{0,2})$")
#: A type where one is looked for, a word where one may be misspelt.
TYPE_BEHIND = re.compile("(?:^|[,.]|[NP][RLs]?,?)T")
WORD_BEHIND = re.compile("(?:^|[,.]|[NP][RL]?,?)W")
WORD_BEFORE_TYPE = re.compile("(?<=N)W(?=,?T)")
NUMBER_BEFORE_TYPE = re.compile("[WN](?=R?T)")
PIECE = re.compile("[^.,]+")
NAMED_PIECE = re.compile("[WI]")
TELLING = re.compile("[WODMtI]")
CEDEX = re.compile("C[NO]?")
TOWN_ALONE = re.compile("[WSsLtIDM]+[NO]?")
STREET_BEFORE = re.compile("[TtZWI]")
