"""How good, how sure of itself and how fast the address phase is; prints one JSON line.

    python benchmarks/geocoding.py --store STORE --bench BENCH
        [--parsers rules,libpostal,auto] [--libpostal-data FOLDER] [--hostile 1000000]

BENCH holds ``geocode_dev.csv``: noisy one-line addresses with their true street and position. Only
the line is read: parse, find the town, resolve it, geocode. ``rp_dev.csv``, if it is there, gives
the share of census bulletins by level.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from pyproj import Transformer

from geomatch.addresses import (
    AddressParser,
    CommuneIndex,
    Geocoder,
    bulletin_parts,
    complete_parts,
    get_parser,
)
from geomatch.arrays.rows import Rows
from geomatch.bulletins import read_bulletins
from geomatch.core.config import AddressOptions
from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.core.street_keys import street_key
from geomatch.store.reader import Store

NEAR_M = 50.0
CASES = Path(__file__).parent.parent / "tests" / "cases" / "parse.csv"
STREET_PARTS = ("numero", "rep", "type_voie", "nom_voie", "code_postal", "commune")
LEVELS = ("housenumber", "interpolated", "street", "locality", "commune", "none")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", required=True, type=Path)
    arguments.add_argument("--bench", required=True, type=Path)
    arguments.add_argument("--parsers", default="rules")
    arguments.add_argument("--libpostal-data", default="")
    arguments.add_argument("--hostile", type=int, default=0)
    given = arguments.parse_args()
    before, start = memory_mb(), time.process_time()
    store = Store.open(given.store)
    geocoder = Geocoder.open(store)
    geocode(["1 rue"], get_parser(AddressOptions(parser="rules")), geocoder)
    result: dict[str, object] = {
        "addresses": len(geocoder.streets.addresses.numero),
        "streets": len(geocoder.streets),
        "load_cpu_s": round(time.process_time() - start, 2),
        "gazetteer_mb": round(memory_mb() - before),
    }
    for name in given.parsers.split(","):
        options = AddressOptions(parser=name, libpostal_data=given.libpostal_data)
        result[name] = of_parser(options, given.bench, store, geocoder)
    if given.hostile:
        result["hostile"] = hostile(given.hostile, geocoder)
    print(json.dumps(result, ensure_ascii=False))


def of_parser(
    options: AddressOptions, bench: Path, store: Store, geocoder: Geocoder
) -> dict[str, object]:
    """All measures of one parser."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        grown = alone.submit(memory_of_parser, options).result()
    parser = get_parser(options)
    asked = pd.read_csv(bench / "geocode_dev.csv", sep=";", dtype=str, keep_default_na=False)
    out = {**measured(asked, parser, geocoder), "parser_mb": grown}
    out |= {"parse_cases": parse_cases(parser), **with_register(bench, store, parser, geocoder)}
    if (bench / "rp_dev.csv").is_file():
        out["rp_dev"] = levels_of_bulletins(bench / "rp_dev.csv", parser, geocoder)
    return out


def geocode(texts: Sequence[str], parser: AddressParser, geocoder: Geocoder) -> pd.DataFrame:
    """The whole phase on lines."""
    parts = complete_parts(parser.parse(texts), geocoder.communes)
    return geocoder.geocode(parts, geocoder.communes.resolve(parts), claimed=True).frame()


def memory_mb() -> float:
    """Memory that the process holds now; where the system does not tell, the most it has held."""
    pages = Path("/proc/self/statm")
    if pages.is_file():
        return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_of_parser(options: AddressOptions) -> int:
    """Megabytes that a parser adds to a fresh process."""
    held = memory_mb()
    get_parser(options).parse(["1 rue", "zut"])
    return round(memory_mb() - held)


def measured(asked: pd.DataFrame, parser: AddressParser, geocoder: Geocoder) -> dict[str, object]:
    texts = asked["q"].tolist()
    geocode(texts[:50], parser, geocoder)
    start = time.process_time()
    parser.parse(texts)
    parsed = time.process_time()
    found = geocode(texts, parser, geocoder)
    seconds = time.process_time() - parsed
    judged = judge(asked, found)
    return {
        **quality(judged),
        "calibration": calibration(judged),
        "coverage": coverage(judged),
        "by_noise": by_noise(judged),
        "parse_per_cpu_s": round(len(texts) / (parsed - start)),
        "per_cpu_s": round(len(texts) / seconds),
    }


def judge(asked: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Each answer against the truth: metres off, street and commune right."""
    to_legal = Transformer.from_crs(4326, 2154, always_xy=True)
    x, y = to_legal.transform(asked["true_lon"].astype(float), asked["true_lat"].astype(float))
    commune = found["code_commune"].to_numpy() == asked["true_citycode"].to_numpy()
    street = [
        bool(a) and street_key(a) == street_key(b)
        for a, b in zip(found["libelle_voie"], asked["true_voie"], strict=True)
    ]
    return pd.DataFrame(
        {
            "level": found["geocode_level"].to_numpy(),
            "score": found["geocode_score"].to_numpy(),
            "uncertainty_m": found["uncertainty_m"].to_numpy(),
            "off_m": np.hypot(found["x"].to_numpy() - x, found["y"].to_numpy() - y),
            "commune": commune,
            "street": np.array(street) & commune,
            "is_house": asked["level"].to_numpy() == "house",
            "ops": asked["ops"].to_numpy(),
            "absent": asked["true_absent"].to_numpy() == "1",
        }
    )


def quality(judged: pd.DataFrame) -> dict[str, float]:
    house = judged[judged["is_house"]]
    known, absent = judged[~judged["absent"]], judged[judged["absent"]]
    claimed = absent["level"].isin(LEVELS[:4])
    return {
        "known_number_50m": round(
            float((known.loc[known["is_house"], "off_m"] <= NEAR_M).mean()), 4
        ),
        "known_street": round(float(known["street"].mean()), 4),
        "known_commune": round(float(known["commune"].mean()), 4),
        "absent": len(absent),
        "absent_claimed": round(float(claimed.mean()), 4),
        "absent_sure": round(float((claimed & (absent["score"] >= 0.9)).mean()), 4),
        "house_50m": round(float((house["off_m"] <= NEAR_M).mean()), 4),
        "street": round(float(judged["street"].mean()), 4),
        "commune": round(float(judged["commune"].mean()), 4),
    }


def calibration(judged: pd.DataFrame) -> list[dict[str, float]]:
    """Share of right streets by band of score, answers at street level or better."""
    answered = judged[judged["level"].isin(LEVELS[:4])]
    out = []
    for low, high in ((0.98, 1.01), (0.9, 0.98), (0.7, 0.9), (0.5, 0.7), (0.0, 0.5)):
        band = answered[(answered["score"] >= low) & (answered["score"] < high)]
        if len(band):
            right, said = float(band["street"].mean()), float(band["score"].mean())
            out.append(
                {"from": low, "n": len(band), "said": round(said, 3), "right": round(right, 4)}
            )
    sure = answered[answered["score"] >= 0.9]
    out.append({"from": 0.9, "n": len(sure), "right": round(float(sure["street"].mean()), 4)})
    return out


def coverage(judged: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Share of true positions within the uncertainty, by level and in all."""
    judged = judged.assign(held=judged["off_m"] <= judged["uncertainty_m"])
    out = {}
    for level, rows in [*judged.groupby("level"), ("all", judged)]:
        out[str(level)] = {
            "n": len(rows),
            "held": round(float(rows["held"].mean()), 4),
            "median_uncertainty_m": round(float(rows["uncertainty_m"].fillna(0.0).median()), 1),
        }
    return out


def by_noise(judged: pd.DataFrame) -> dict[str, dict[str, float]]:
    kinds = judged["ops"].replace("", "none").str.split("|").explode()
    rows = judged.loc[kinds.index].assign(kind=kinds.to_numpy())
    rows["house"] = np.where(rows["is_house"], rows["off_m"] <= NEAR_M, np.nan)
    table = rows.groupby("kind").agg(
        n=("street", "size"),
        house_50m=("house", "mean"),
        street=("street", "mean"),
        commune=("commune", "mean"),
    )
    return {
        str(kind): {k: round(v, 4) for k, v in row.items() if not np.isnan(v)}
        for kind, row in table.iterrows()
    }


def parse_cases(parser: AddressParser) -> dict[str, float]:
    """Share of the project's own parse cases that are cut right, part by part and whole."""
    cases = pd.read_csv(CASES, sep=";", dtype=str, keep_default_na=False)
    parts = parser.parse(cases["text"].tolist()).frame()
    same = pd.DataFrame({c: parts[c].to_numpy() == cases[c].to_numpy() for c in STREET_PARTS})
    out = {c: round(float(same[c].mean()), 3) for c in STREET_PARTS}
    return {"n": len(cases), **out, "whole": round(float(same.all(axis=1).mean()), 3)}


def with_register(
    bench: Path, store: Store, parser: AddressParser, geocoder: Geocoder
) -> dict[str, object]:
    """Addresses as another body wrote them against the street of the register's own address."""
    written, truth = bench / "real_dev.csv", bench / "real_dev_truth.csv"
    if not written.is_file():
        return {}
    asked = pd.read_csv(written, sep=";", dtype=str, keep_default_na=False)
    siret = pd.read_csv(truth, sep=";", dtype=str, keep_default_na=False)["siret"]
    register = store.departements_of(STORE_ESTABLISHMENTS).set_index("siret")
    known = register.reindex(siret)
    own = {c: asked[c].to_numpy(object) for c in ("commune", "code_postal")}
    parts = parser.parse(asked["adresse"].tolist()).plus(**own)
    codes = asked.rename(columns={"code_commune": "code_commune_declaree"})
    found = geocoder.geocode(parts, geocoder.communes.resolve(codes)).frame()
    placed = (known["voie_id"].fillna(-1) >= 0).to_numpy() & (asked["adresse"] != "").to_numpy()
    same = (found["voie_id"].to_numpy() == known["voie_id"].to_numpy()) & (
        found["code_commune"].to_numpy() == known["code_commune"].to_numpy()
    )
    n = int(placed.sum())
    return {"real_dev": {"n": n, "same_street": round(float(same[placed].mean()), 4)}}


def levels_of_bulletins(path: Path, parser: AddressParser, geocoder: Geocoder) -> dict[str, float]:
    """Share of census bulletins by geocode level, and bulletins per CPU-second."""
    bulletins = read_bulletins(path)
    start = time.process_time()
    parts = bulletin_parts(bulletins, parser)
    communes = resolved(bulletins, parts, geocoder.communes)
    found = geocoder.geocode(parts, communes)
    seconds = time.process_time() - start
    out = {level: round(float((found["geocode_level"] == level).mean()), 4) for level in LEVELS}
    return out | {"per_cpu_s": round(len(bulletins) / seconds)}


def resolved(bulletins: pd.DataFrame, parts: Rows, communes: CommuneIndex) -> Rows:
    asked = bulletins.copy()
    for column in ("commune", "code_postal"):
        asked[column] = np.where(asked[column] != "", asked[column], parts[column])
    return communes.resolve(asked)


def hostile(n: int, geocoder: Geocoder) -> dict[str, float]:
    """Parse and geocode strings that are no addresses; an exception ends the benchmark."""
    parser = get_parser(AddressOptions(parser="rules"))
    rng, slowest, start = random.Random(7), 0.0, time.perf_counter()
    for low in range(0, n, 20_000):
        texts = [hostile_text(rng) for _ in range(min(20_000, n - low))]
        began = time.perf_counter()
        found = geocode(texts, parser, geocoder)
        if len(found) != len(texts):
            raise SystemExit(f"{len(texts)} texts gave {len(found)} rows")
        slowest = max(slowest, time.perf_counter() - began)
    seconds = time.perf_counter() - start
    return {"n": n, "seconds": round(seconds), "slowest_20000_s": round(slowest, 1)}


_ALPHABETS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789",
    "0123456789",
    "0123456789 -/,.",
    "".join(map(chr, range(32))) + "\x7f\x80\x9f\u200b\u200e\u202e\ufeff ",
    "אבגדה ءآأؤ 12",
    "😀🏠🚒👩‍👩‍👧 é",
    "éèàùçœæÉÈÂ€©¨ã ",
    "ÃÂâ€™œ©¨ Aa",
    "漢字カナ한글ไทย ",
    "ZzAIBPCSTSACEDEX 75",
    "\ud800\udfff\x00 a1",
)
_WORDS = (
    "RUE", "R", "DE", "LA", "L", "BIS", "12", "0000", "75001", "99999", "PARIS", "CEDEX", "BP",
    "CS", "BAT", "A", "D", "N", "ZA", "RN", "8", "MAI", "1945", ",", "-", "/", "(", ")", "SAINT",
    "ST", "GRANDE", "LIEU", "DIT", "DOUZE", "1ER", "FRANCE", "ECOLE", "\n", "\t", "°", "'",
)  # fmt: skip


def hostile_text(rng: random.Random) -> str:
    """Letters, digits, controls, words of addresses in any order; now and then 100 kB of them."""
    if rng.random() < 0.5:
        joint = rng.choice((" ", " ", "", "  "))
        text = joint.join(rng.choices(_WORDS, k=rng.randrange(1, 14)))
    else:
        text = "".join(rng.choices(rng.choice(_ALPHABETS), k=rng.randrange(0, 60)))
    return text * 5_000 if rng.random() < 0.0005 else text


if __name__ == "__main__":
    main()
