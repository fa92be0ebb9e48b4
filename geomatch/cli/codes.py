"""``activity``: NAF codes of activity texts."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from geomatch.cli.console import screen
from geomatch.cli.options import PathOption


def activity(
    source: Annotated[str, typer.Argument(metavar="TEXTE|INPUT|-", help="Activité, ou fichier.")],
    text: Annotated[str, typer.Option(help="Colonne de l'activité, d'un fichier.")] = "",
    store: Annotated[str, typer.Option(help="Base ; vide : la NAF rév. 2 livrée.")] = "",
    out: Annotated[str | None, PathOption(help="Fichier à écrire (csv, parquet).")] = None,
    precision: Annotated[float, typer.Option(help="Précision d'un niveau sûr.")] = 0.9,
    nomenclature: Annotated[str, typer.Option(help="NAFRev2 ou NAF2025, de la base.")] = "",
    kind: Annotated[str, typer.Option("--format", help="table, csv ou json.")] = "table",
) -> None:
    """Coder une activité dans la NAF, ou toutes celles d'un fichier (--text)."""
    from geomatch.activities.coding import code_activity_file, show_activity

    asked: dict[str, Any] = {
        "text": text,
        "store": store,
        "sure": precision,
        "nomenclature": nomenclature,
    }
    if out is None:
        shown = show_activity(source, kind=kind, **asked)
        print(shown) if isinstance(shown, str) else screen.print(shown)
        return
    code_activity_file(source, out, **asked)
    screen.print(out, highlight=False, soft_wrap=True)
