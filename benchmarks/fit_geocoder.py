"""Learn the weights of the geocoder's street score; prints them, changes nothing.

    python benchmarks/fit_geocoder.py --store STORE [--n 40000] [--seed 1] [--hidden 0.3]

With --hidden it learns the weights of the second look instead: that share of the streets is taken
out of the gazetteer, and the addresses on them are weighed as ABSENT of all.

Addresses are drawn from the store's own gazetteer and written with made-up slips (see
``benchmarks/noise.py``); the shared sets are not read.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random

import numpy as np
import pandas as pd
import pyarrow as pa
from noise import NO_STREET, Address, noisy, split_type
from scipy.optimize import minimize

from geomatch.addresses import Geocoder, complete_parts, get_parser
from geomatch.addresses.streets import search as search_module
from geomatch.addresses.streets import second_look
from geomatch.addresses.streets.doors import Addresses
from geomatch.addresses.streets.index import StreetIndex
from geomatch.addresses.streets.street_score import WEIGHTS, Pairs, features
from geomatch.arrays.arrow import texts
from geomatch.arrays.rows import Rows
from geomatch.core.config import AddressOptions
from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.core.territories import departement_of
from geomatch.store.reader import Store

#: Columns of the addresses that Arrow holds.
TEXTS = ("rep", "code_postal", "ban_id")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--store", required=True)
    arguments.add_argument("--n", type=int, default=40_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--hidden", type=float, default=0.0)
    given = arguments.parse_args()
    geocoder = Geocoder.open(Store.open(given.store))
    rows = sample(geocoder, employers(Store.open(given.store)), given.n, given.seed)
    if given.hidden:
        print(json.dumps(second_weights(geocoder, rows, given.hidden, given.seed)))
        return
    data = candidates(geocoder, rows)
    half = rows["row"].to_numpy() % 2 == 0
    weights = fit(*subset(data, half))
    result = {
        "n": len(rows),
        "recall": float(data[3][rows["row"]].mean()),
        "loss_before": loss(np.array(list(WEIGHTS.values())), *subset(data, ~half))[0],
        "loss_after": loss(weights, *subset(data, ~half))[0],
        "top1_before": top1(np.array(list(WEIGHTS.values())), *subset(data, ~half)),
        "top1_after": top1(weights, *subset(data, ~half)),
        "weights": {k: round(float(w), 2) for k, w in zip(WEIGHTS, weights, strict=True)},
    }
    print(json.dumps(result))


def employers(store: Store) -> list[str]:
    """Names of employers, which people write where the street is asked for."""
    frame = store.departements_of(STORE_ESTABLISHMENTS)
    names = pd.concat([frame["denomination"], frame["enseignes"].str.split(" | ").str[0]])
    return sorted({n for n in names if isinstance(n, str) and len(n) > 3})


def sample(geocoder: Geocoder, names: list[str], n: int, seed: int) -> pd.DataFrame:
    """Noisy addresses with the street (row of the index) each was made of, -1 for none."""
    index, rng = geocoder.streets, random.Random(seed)
    addresses, labels = index.addresses, geocoder.communes.labels
    codes, keys = (texts(index.streets.column(c)) for c in ("code_commune", "nom_norm"))
    at = np.random.default_rng(seed).choice(len(addresses.numero), n)
    street = addresses.street[at]
    made = []
    for row, (i, s) in enumerate(zip(at.tolist(), street.tolist(), strict=True)):
        code = codes[s]
        kind, name = split_type(keys[s])
        rep = str(addresses.rep[i])
        address = Address(
            numero=str(addresses.numero[i]),
            rep=f" {rep.upper()}" if rep else "",
            kind=kind,
            name=name,
            code_postal=str(addresses.code_postal[i]),
            town=labels.get(geocoder.communes.city(code), "").upper(),
            departement=departement_of(code),
        )
        ops = noisy(address, rng)
        if rng.random() < NO_STREET:
            s = -1
            address.kind, address.name = "", rng.choice(names)
            if rng.random() < 0.7:
                address.numero = address.rep = ""
        made.append((row, address.line(), s, "|".join(ops)))
    return pd.DataFrame(made, columns=["row", "q", "street", "ops"])


def both(parts: Rows, communes: Rows) -> Rows:
    """The columns of address parts and of their communes together."""
    return parts.plus(**{c: communes[c] for c in communes})


def candidates(geocoder: Geocoder, rows: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Features, question and truth of every candidate, and whether the truth is among them."""
    parser = get_parser(AddressOptions(parser="rules"))
    parts = complete_parts(parser.parse(rows["q"].tolist()), geocoder.communes)
    asked = both(parts, geocoder.communes.resolve(parts))
    questions, at = geocoder.questions(asked)
    found = search_module.find(geocoder.streets, questions)
    index = geocoder.streets
    x = features(Pairs(index, questions, found.question, found.street))
    row = rows["row"].to_numpy()[at[found.question]]
    meant = rows["street"].to_numpy()[row]
    same = (index.commune, index.key_code)
    truth = np.all([s[found.street] == s[meant] for s in same], axis=0) & (meant >= 0)
    has = rows["street"].to_numpy() < 0
    has[row[truth]] = True
    return x, row, truth, has


def second_weights(
    geocoder: Geocoder, rows: pd.DataFrame, share: float, seed: int
) -> dict[str, object]:
    """Weights of the second look, learned where a share of the streets is hidden."""
    whole = geocoder.streets
    name = whole.commune * (int(whole.key_code.max()) + 1) + whole.key_code
    distinct, of_street = np.unique(name, return_inverse=True)
    seen = np.random.default_rng(seed).random(len(distinct)) >= share
    thinned = Geocoder(without(whole, seen[of_street]), geocoder.communes, geocoder.options)
    parser = get_parser(AddressOptions(parser="rules"))
    parts = complete_parts(parser.parse(rows["q"].tolist()), geocoder.communes)
    asked = both(parts, geocoder.communes.resolve(parts))
    questions, at = thinned.questions(asked)
    found = search_module.find(thinned.streets, questions)
    best = thinned._best(search_module.with_doors(thinned.streets, questions, found))
    chosen = second_look.Chosen(best.question, best.street, best.mass, best.score)
    x = second_look.features(thinned.streets, questions, chosen)
    row = at[best.question]
    meant = rows["street"].to_numpy()[row]
    back = np.flatnonzero(seen[of_street])[best.street]
    y = ((name[back] == name[meant]) & (meant >= 0)).astype(float)
    hidden = ~seen[of_street][meant] & (meant >= 0)
    absent = second_look.ABSENT
    weight = np.where(hidden, absent / share, (1 - absent) / (1 - share))
    half = row % 2 == 0
    start = np.array(list(second_look.WEIGHTS.values()))
    weights = minimize(
        logistic_loss, start, (x[half], y[half], weight[half]), jac=True, method="L-BFGS-B"
    ).x
    p = 1 / (1 + np.exp(-x[~half] @ weights))
    hidden, y = hidden[~half], y[~half]
    return {
        "loss_before": logistic_loss(start, x[~half], y, weight[~half])[0],
        "loss_after": logistic_loss(weights, x[~half], y, weight[~half])[0],
        "hidden_claimed": float((p[hidden] >= 0.5).mean()),
        "hidden_sure": float((p[hidden] >= 0.9).mean()),
        "right_claimed": float((p[y == 1] >= 0.5).mean()),
        "weights": {
            k: round(float(w), 2) for k, w in zip(second_look.WEIGHTS, weights, strict=True)
        },
    }


def without(index: StreetIndex, seen: np.ndarray) -> StreetIndex:
    """The gazetteer with some of its streets only."""
    old = index.addresses
    kept = np.flatnonzero(seen[old.street])
    number = np.cumsum(seen) - 1
    columns = {f.name: getattr(old, f.name) for f in dataclasses.fields(old)}
    take = {n: v.take(pa.array(kept)) if n in TEXTS else v[kept] for n, v in columns.items()}
    addresses = Addresses(**take | {"street": number[old.street[kept]]})
    streets = index.streets.filter(pa.array(seen))
    first = np.searchsorted(addresses.street, np.arange(len(streets)))
    at = streets.column_names.index("first_address")
    return StreetIndex(
        streets.set_column(at, "first_address", pa.array(first)).combine_chunks(), addresses
    )


def logistic_loss(
    weights: np.ndarray, x: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """Weighted mean negative log-likelihood of a logistic regression, and its gradient."""
    u = x @ weights
    value = float((weight * (np.logaddexp(0, u) - y * u)).sum() / weight.sum())
    gradient = x.T @ (weight * (1 / (1 + np.exp(-u)) - y)) / weight.sum()
    return value + 1e-5 * float(weights @ weights), gradient + 2e-5 * weights


def subset(data: tuple[np.ndarray, ...], rows: np.ndarray) -> tuple[np.ndarray, ...]:
    x, row, truth, _ = data
    keep = rows[row]
    _, question = np.unique(row[keep], return_inverse=True)
    return x[keep], question, truth[keep]


def loss(
    weights: np.ndarray, x: np.ndarray, question: np.ndarray, truth: np.ndarray
) -> tuple[float, np.ndarray]:
    """Mean negative log-likelihood of the conditional logit, and its gradient."""
    n = int(question.max()) + 1
    utility = np.clip(x @ weights, -50, 50)
    weight = np.exp(utility)
    total = np.bincount(question, weight, minlength=n) + 1.0
    # twins (one street cut in two) are all right: their shares are added
    right = np.bincount(question, weight * truth, minlength=n)
    none = right == 0
    value = np.where(none, np.log(total), np.log(total) - np.log(np.maximum(right, 1e-300)))
    share = weight / total[question]
    own = np.where(none[question], 0.0, weight * truth / np.maximum(right[question], 1e-300))
    penalty = 1e-4 * float(weights @ weights)
    gradient = x.T @ (share - own) / n + 2e-4 * weights
    return float(value.mean()) + penalty, gradient


def fit(x: np.ndarray, question: np.ndarray, truth: np.ndarray) -> np.ndarray:
    start = np.array(list(WEIGHTS.values()))
    return minimize(loss, start, (x, question, truth), jac=True, method="L-BFGS-B").x


def top1(weights: np.ndarray, x: np.ndarray, question: np.ndarray, truth: np.ndarray) -> float:
    """Share of the questions whose likeliest candidate is right."""
    order = np.lexsort((-(x @ weights), question))
    first = np.unique(question[order], return_index=True)[1]
    return float(truth[order][first].mean())


if __name__ == "__main__":
    main()
