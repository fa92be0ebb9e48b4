"""``geomatch store``: what a store is made of, and whether it is whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(help="Ce dont une base est faite ; si elle est intacte.", no_args_is_help=True)
_Place = Annotated[str, typer.Argument(metavar="STORE", help="Base de référence.")]


@app.command()
def info(store: _Place) -> None:
    """Dire ce dont une base est faite : sources, tables, départements, taille (JSON)."""
    from geomatch.store.integrity import FILES, is_sealed
    from geomatch.store.reader import Store

    opened = Store.open(store)
    told = {k: v for k, v in opened.manifest.items() if k not in (FILES, "sum")}
    files = opened.manifest.get(FILES, {})
    told |= {"manifest_sha256": opened.sha256, "has_sums": is_sealed(opened.manifest)}
    told |= {"files": len(files), "bytes": sum(f["size"] for f in files.values())}
    typer.echo(json.dumps(told, ensure_ascii=False))


@app.command()
def verify(store: _Place) -> None:
    """Relire toute la base et comparer chaque fichier à son empreinte (code 3 s'il diffère)."""
    from geomatch.core import paths
    from geomatch.core.errors import StoreError
    from geomatch.store.integrity import FILES, damaged_files, is_sealed
    from geomatch.store.reader import FOLDER, read_manifest

    manifest = read_manifest(store)
    if not is_sealed(manifest):
        raise StoreError(f"store {store} was built without sums; build it again to have them")
    with paths.reading(paths.join(store, manifest.get(FOLDER, ""))) as root:
        bad = [*damaged_files(root, manifest)]
    if bad:
        raise StoreError(
            f"store {store}: {len(bad)} of {len(manifest[FILES])} files are damaged "
            f"({bad[0]} first); build it again"
        )
    size = sum(f["size"] for f in manifest[FILES].values())
    typer.echo(json.dumps({"store": store, "files": len(manifest[FILES]), "bytes": size}))
