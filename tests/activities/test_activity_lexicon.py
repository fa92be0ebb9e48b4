"""The lexicon of activities: what its tables must be, and what is read with it."""

from __future__ import annotations

import csv
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.activities.lexicon import ROLES, Lexicon, build, fold, lexicon, shares
from geomatch.activities.reading import (
    ACTIVITY,
    EMPTY,
    NO_ANSWER,
    OCCUPATION,
    UNKNOWN,
    Reading,
    read,
)
from geomatch.activities.spelling import Spelling
from geomatch.activities.spreading import spread
from geomatch.core.errors import GeomatchError
from geomatch.core.tables import load_table

CASES = Path(__file__).parent.parent / "cases" / "activities.csv"
WORDS, VERBS = ("codes", "mots"), ("roles", "codes", "mots")
OBJECTS, PHRASES = ("mots", *ROLES), ("genre", "mots")


def nafs() -> list[str]:
    return [code for code in lexicon().targets() if len(code) == 6]


def sections() -> dict[str, str]:
    return {
        f"{division:02}": section
        for section, first, last, _ in load_table("naf_sections")
        for division in range(int(first), int(last) + 1)
    }


def said(text: str, known: Lexicon | None = None) -> dict[str, float]:
    """Codes of one text with their weights."""
    reading = read([text], known)
    found: dict[str, float] = {}
    for code, weight in zip(reading.code, reading.weight, strict=True):
        found[reading.codes[code]] = found.get(reading.codes[code], 0.0) + float(weight)
    return found


def best(text: str) -> str:
    found = said(text)
    return max(found, key=found.__getitem__)


def small(*tables: tuple[str, tuple[str, ...], list[tuple[str, ...]]]) -> Lexicon:
    return build(tables)


# ------------------------------------------------------------------ what is read
def cases() -> list[tuple[str, str]]:
    with CASES.open(encoding="utf-8") as file:
        return [(row["texte"], row["naf"]) for row in csv.DictReader(file, delimiter=";")]


@pytest.fixture(scope="module")
def first_codes() -> dict[str, str]:
    texts = [text for text, _ in cases()]
    codes = nafs()
    weights = spread(read(texts), codes, np.ones(len(codes)), sections()).toarray()
    return {
        text: codes[row.argmax()] if row.any() else ""
        for text, row in zip(texts, weights, strict=True)
    }


@pytest.mark.parametrize(("text", "naf"), cases())
def test_the_first_code_of_a_text(text: str, naf: str, first_codes: dict[str, str]) -> None:
    first = first_codes[text]
    assert first, "nothing was read"
    assert first.startswith(naf) or sections()[first[:2]] == naf


def test_every_level_of_the_nomenclature_is_there_once() -> None:
    """NAF rév. 2: 21 sections, 88 divisions, 272 groups, 615 classes, 732 sub-classes."""
    codes = nafs()
    counts = [len({code[:length] for code in codes}) for length in (2, 4, 5, 6)]
    assert counts == [88, 272, 615, 732]
    assert {sections()[code[:2]] for code in codes} == set("ABCDEFGHIJKLMNOPQRSTU")


def test_no_code_of_a_higher_level_is_foreign_to_the_nomenclature() -> None:
    codes = nafs()
    known = {code[:length] for code in codes for length in (2, 4, 5, 6)} | set(sections().values())
    assert set(lexicon().targets()) <= known


def test_every_sub_class_has_a_word_of_its_own() -> None:
    """Each is the likeliest code of at least one entry by itself."""
    firsts = {max(e.codes, key=lambda c: c[1])[0] for e in lexicon().entries if e.codes}
    by_role = {
        max(codes, key=lambda c: c[1])[0] for e in lexicon().entries for codes in e.by_role.values()
    }
    assert set(nafs()) <= firsts | by_role


# ------------------------------------------------------------------ verbs and objects
@pytest.mark.parametrize(
    ("text", "naf"),
    [
        ("carrelage, vente", best("vente de carrelage")),
        ("ventes des carrelages", best("vente de carrelage")),
        ("VENTE CARRELAGE", best("vente de carrelage")),
        ("vente de faïence, carrelage", best("vente de carrelage")),
        ("vente de meubles en gros", "46.47Z"),
        ("vente de chaussures sur les marchés", "47.82Z"),
    ],
)
def test_a_verb_governs_its_objects_wherever_it_stands(text: str, naf: str) -> None:
    assert best(text) == naf


def test_two_verbs_both_speak_and_the_first_leads() -> None:
    found = said("pose et vente de carrelage")
    assert {"43.33Z", "46.73A"} <= set(found)
    assert found["43.33Z"] > found["46.73A"]


def test_a_verb_does_not_govern_another_clause() -> None:
    assert "43.33Z" in said("vente de meubles ; carrelage")
    assert "43.33Z" not in said("vente de meubles, carrelage")


def test_owning_leads_whatever_else_statutes_list() -> None:
    text = "l'acquisition, la construction, l'administration et la vente de tous immeubles"
    assert best(text) == "68.20B"
    assert best("construction d'immeubles").startswith("41")


def test_a_vague_object_gives_way_to_what_it_is() -> None:
    assert "47.29Z" in said("vente de produits laitiers")
    assert "47.19B" not in said("vente de produits laitiers")
    assert "47.19B" in said("vente de produits")


# ------------------------------------------------------------------ long texts
def test_the_first_activity_leads() -> None:
    assert best("plomberie ; coiffure") == "43.22A"
    assert best("coiffure ; plomberie") == "96.02A"


@pytest.mark.parametrize(
    "clause",
    [
        "et plus généralement toutes opérations de location de voitures",
        "à titre accessoire la location de voitures",
        "toutes opérations se rattachant à la location de voitures",
    ],
)
def test_a_clause_of_statutes_weighs_little(clause: str) -> None:
    usual = said("coiffure ; location de voitures")
    found = said(f"coiffure ; {clause}")
    assert found["77.11A"] < 0.3 * usual["77.11A"]
    assert found["96.02A"] == usual["96.02A"]


def test_what_is_left_out_is_not_said() -> None:
    assert "45.11Z" not in said("location de matériel hors vente de véhicules")
    assert "45.11Z" in said("location de matériel (hors engins), vente de véhicules")


def test_a_word_that_is_the_whole_text_means_nothing_in_a_longer_one() -> None:
    assert said("particuliers") == {"97.00Z": 1.0}
    assert "97.00Z" not in said("plomberie chez les particuliers")


# ------------------------------------------------------------------ what is no activity
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", EMPTY), ("  .;- ", EMPTY), ("de la", EMPTY),
        ("IDEM", NO_ANSWER), ("NSP", NO_ANSWER), ("Néant", NO_ANSWER), ("ne sait pas", NO_ANSWER),
        ("secrétaire", OCCUPATION), ("chef d'équipe", OCCUPATION), ("Ouvrière", OCCUPATION),
        ("zzyzx qwrtp", UNKNOWN), ("plomberie", ACTIVITY), ("secrétaire en boulangerie", ACTIVITY),
    ],
)  # fmt: skip
def test_what_a_text_is(text: str, kind: int) -> None:
    reading = read([text])
    assert reading.kinds.tolist() == [kind]
    assert bool(len(reading.text)) == (kind == ACTIVITY)


# ------------------------------------------------------------------ the reading
def same(a: Reading, b: Reading) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("text", "code", "weight", "rank", "kinds")
    )


def test_a_text_reads_the_same_whoever_stands_beside_it() -> None:
    texts = [text for text, _ in cases()]
    together = read(texts)
    for i in (0, 40, len(texts) - 1):
        alone = read([texts[i]])
        mine = together.text == i
        assert np.array_equal(alone.code, together.code[mine])
        assert np.array_equal(alone.weight, together.weight[mine])
    assert same(together, read(texts))


def test_words_that_said_so_are_told() -> None:
    reading = read(["pose de carrelages"])
    assert [reading.words[i] for i in reading.said] == ["pose + carrelage"]


def test_spreading_keeps_weights_and_follows_the_prior() -> None:
    known = small(("activity_words_x", WORDS, [("43.3=50 43.21A=50", "second oeuvre")]))
    reading = read(["second oeuvre"], known)
    codes = ["43.21A", "43.31Z", "43.33Z", "47.11B"]
    found = spread(reading, codes, np.array([0.1, 0.3, 0.1, 0.5]), neighbours=()).toarray()[0]
    strength = reading.weight.sum()
    np.testing.assert_allclose(found, strength * np.array([0.5, 0.375, 0.125, 0.0]), rtol=1e-6)


def test_a_section_is_spread_where_sections_are_known() -> None:
    known = small(("activity_words_x", WORDS, [("F", "chantiers")]))
    reading = read(["chantier"], known)
    codes, prior = ["41.20A", "43.21A", "47.11B"], np.ones(3)
    assert spread(reading, codes, prior, neighbours=()).nnz == 0
    found = spread(reading, codes, prior, {"41": "F", "43": "F"}, neighbours=())
    assert found.toarray().round(3).tolist() == [[0.5, 0.5, 0.0]]


def test_codes_that_are_given_instead_get_their_part() -> None:
    known = small(
        ("activity_words_x", WORDS, [("43.21A", "cables")]),
        ("activity_neighbours_x", ("codes", "voisins"), [("43", "47.11B=10"), ("43.2", "61=20")]),
    )
    codes = ["43.21A", "43.31Z", "47.11B", "61.10Z", "61.20Z"]
    found = spread(
        read(["cable"], known), codes, np.ones(5), neighbours=known.neighbours
    ).toarray()[0]
    np.testing.assert_allclose(found, [1.0, 0.0, 0.1, 0.1, 0.1])


def test_what_is_read_leads_before_what_is_given_instead() -> None:
    reading = read(["restaurant"])
    found = spread(reading, nafs(), np.ones(732)).toarray()[0]
    assert nafs()[found.argmax()] == "56.10A"
    assert np.count_nonzero(found) > 1


HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(string.ascii_letters + string.digits + " ,;.()-/+:'\n\x00éèœŒß"),
    ),
    max_size=300,
)


@given(st.lists(HOSTILE, max_size=5))
def test_any_text_can_be_read(texts: list[str]) -> None:
    reading = read(texts)
    assert len(reading.kinds) == len(texts)
    assert (reading.weight > 0).all()
    assert ((reading.text >= 0) & (reading.text < len(texts))).all()
    assert ((reading.kinds == ACTIVITY) == np.isin(np.arange(len(texts)), reading.text)).all()


PIECES = st.sampled_from(
    ["vente", "pose", "carrelage", "hors", "IDEM", ";", ",", "(", "en gros", "sur les marchés",
     "toutes opérations", "immeubles", "l'acquisition de", "produits", "formation", "secrétaire"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12))
def test_any_order_of_pieces_can_be_read(pieces: list[str]) -> None:
    reading = read([" ".join(pieces)])
    assert np.isfinite(reading.weight).all()
    assert set(reading.rank.tolist()) == set(
        range(reading.rank.max() + 1 if len(reading.rank) else 0)
    )


# ------------------------------------------------------------------ words
@pytest.mark.parametrize(
    ("one", "many"),
    [("TRAVAIL", "TRAVAILS"), ("JOURNAL", "JOURNAUX"), ("BATEAU", "BATEAUX"), ("POSE", "POSES"),
     ("JEU", "JEUX")],
)  # fmt: skip
def test_plural_and_singular_are_one_word(one: str, many: str) -> None:
    assert fold(one) == fold(many)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CARELAGE", "CARRELAGE"), ("PLOMMBERIE", "PLOMBERIE"), ("PLOBMERIE", "PLOMBERIE"),
        ("PLONBERIE", "PLOMBERIE"), ("XLOMBERIE", "XLOMBERIE"), ("POSEE", "POSEE"),
        ("PLOMBERIX", "PLOMBERIX"),
    ],
)  # fmt: skip
def test_one_slip_of_the_pen_is_understood(written: str, meant: str) -> None:
    assert Spelling(["CARRELAGE", "CARENAGE", "PLOMBERIE", "POSE"]).nearest(written) == meant


def test_between_two_equally_near_words_none_is_chosen() -> None:
    assert Spelling(["MARBRERIE", "MARBRIRIE"]).nearest("MARBRARIE") == "MARBRARIE"


# ------------------------------------------------------------------ tables that cannot be used
def test_shares_sum_to_one() -> None:
    assert shares("47.71Z=70 46.42Z=30", "here") == (("47.71Z", 0.7), ("46.42Z", 0.3))
    assert shares("43 F", "here") == (("43", 0.5), ("F", 0.5))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([("activity_words_x", ("mot", "naf"), [])], "columns mot;naf; expected codes;mots"),
        ([("activity_words_x", WORDS, [("43.33Z",)])], "1 values; expected 2"),
        ([("activity_words_x", WORDS, [("4333Z", "pose")])], "code '4333Z'; expected one such as"),
        ([("activity_words_x", WORDS, [("", "pose")])], "no code"),
        ([("activity_words_x", WORDS, [("43.33Z=0", "pose")])], "share '0' of 43.33Z"),
        ([("activity_words_x", WORDS, [("43.33Z=x", "pose")])], "share 'x' of 43.33Z"),
        ([("activity_words_x", WORDS, [("43.33Z", "pose,, sol")])], "an empty word"),
        ([("activity_words_x", WORDS, [("43", "pose"), ("45", "poses")])], "each word once"),
        ([("activity_verbs_x", VERBS, [("vendre=1", "", "vente")])], "role vendre; expected seul,"),
        ([("activity_objects_x", OBJECTS, [("sol", *[""] * len(ROLES))])], "no code in any role"),
        (
            [("activity_neighbours_x", ("codes", "voisins"), [("43", "47.11B")])],
            "expected codes with numbers of a hundred",
        ),
        ([("activity_phrases_x", PHRASES, [("autre", "idem")])], "genre 'autre'; expected vide,"),
        (
            [
                ("activity_phrases_x", PHRASES, [("vide", "de")]),
                ("activity_words_x", WORDS, [("43", "de")]),
            ],
            "only words without weight",
        ),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_refused(
    tables: list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]], message: str
) -> None:
    with pytest.raises(GeomatchError) as refused:
        build(tables)
    assert message in str(refused.value)


# ------------------------------------------------------------------ clauses are remembered
#: What comes back from text to text, first in one, later in another.
CLAUSES = (
    "pose de carrelage", "vente en ligne", "IDEM", "boulanger", "coiffure, onglerie", "12",
    "et plus généralement toutes opérations", "hors restauration", "transport de 3,5 tonnes",
)  # fmt: skip


def by_text(texts: list[str]) -> list[list[tuple[str, float, int, str]]]:
    """Codes, weights, ranks and words of each text."""
    told = read(texts)
    found: list[list[tuple[str, float, int, str]]] = [[] for _ in texts]
    for i, code, weight, rank, said in zip(
        told.text, told.code, told.weight, told.rank, told.said, strict=True
    ):
        found[i].append((told.codes[code], float(weight), int(rank), told.words[said]))
    return found


@given(st.lists(st.lists(st.sampled_from(CLAUSES), max_size=4), max_size=6))
def test_a_text_says_the_same_whatever_is_read_with_it(written: list[list[str]]) -> None:
    texts = ["; ".join(clauses) for clauses in written]
    assert by_text(texts) == [by_text([text])[0] for text in texts]


def test_clauses_of_a_text_say_what_they_say_alone_each_less_than_the_one_before() -> None:
    both, first, second = by_text(["coiffure; pose de carrelage", "coiffure", "pose de carrelage"])
    assert both[: len(first)] == first
    for (code, weight, rank, said), alone in zip(both[len(first) :], second, strict=True):
        assert (code, said, rank) == (alone[0], alone[3], alone[2] + 1)
        assert weight == pytest.approx(alone[1] * 0.65)


def test_the_same_clause_of_statutes_weighs_little_only_after_another() -> None:
    minor = "et plus généralement toutes opérations de coiffure"
    alone, after = by_text([minor, f"boulangerie; {minor}"])
    assert after[-1][1] < 0.3 * alone[-1][1]
