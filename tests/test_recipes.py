"""The recipes of the documentation, run one after the other as they are printed."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from chains import Chain

from geomatch import Store

PAGE = Path(__file__).resolve().parents[1] / "docs" / "comment" / "recettes.md"
BLOCKS = re.findall(r"## (.+?)\n.*?```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
#: Lines of a recipe that do something.
MOST_LINES = 5


@pytest.fixture
def folder(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the page names, as the working folder."""
    (tmp_path / "base").symlink_to(chain.store)
    (tmp_path / "resultats").symlink_to(chain.out)
    (tmp_path / "truth.csv").symlink_to(chain.files.truth)
    store = Store.open(chain.store)
    rows = store.establishments(store.departements[0])
    rows = rows[(rows["denomination"] != "") & (rows["nom_voie"] != "")].head(30)
    line = rows["numero"] + " " + rows["type_voie"] + " " + rows["nom_voie"]
    told = {"nom": rows["denomination"], "ou": line.str.strip(), "ville": rows["libelle_commune"]}
    pd.DataFrame(told).to_csv(tmp_path / "associations.csv", sep=";", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_recipes_do_what_they_say(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for title, code in BLOCKS:
        exec(compile(code, title, "exec"), names)
    found, listed = names["resultat"], names["liste"]
    assert found.decisions["siret"].notna().any()
    assert len(found.decisions) == len(listed) == 30
    assert (listed["siret"] != "").sum() == (found.decisions["decision"] == "auto").sum()
    assert len(names["lieux"]) == 2
    assert sum(map(len, names["lieux"])) == len(listed)
    assert len(gpd.read_file("decisions.gpkg")) == len(listed)
    assert len(gpd.read_file("candidats.gpkg", layer="candidats")) == len(found.candidates)
    assert {"carte.html", "voisins.html"} <= {p.name for p in folder.iterdir()}
    assert names["mesure"].overall.n > 0
    assert "absente" in capsys.readouterr().out


@pytest.mark.parametrize(("title", "code"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_a_recipe_is_five_lines(title: str, code: str) -> None:
    lines = [
        line
        for line in code.splitlines()
        if line.strip() and not line.startswith(("import ", "from "))
    ]
    assert len(lines) <= MOST_LINES
