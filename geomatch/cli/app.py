"""All commands, in the order of the help, and the exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

import geomatch
from geomatch.cli.codes import activity
from geomatch.cli.console import complain, screen
from geomatch.cli.deciding import decide
from geomatch.cli.desk import audit, certify, review
from geomatch.cli.help import tell_help
from geomatch.cli.matching import match, merge
from geomatch.cli.measuring import evaluate, explain, train
from geomatch.cli.places import geocode, nearby, parse
from geomatch.cli.reference import build, demo, download
from geomatch.core.errors import ConfigError, GeomatchError
from geomatch.core.language import FRENCH, OPTION, asked, speak, speaking
from geomatch.core.paths import is_utf8_name
from geomatch.core.processes import ending_tidily, private_files
from geomatch.store.commands import app as store_app

#: The commands, as the help lists them, each with its example: a new one is a function of a module,
#: and its line here.
COMMANDS: Mapping[Callable[..., None], str] = {
    build: "build --ban fichiers/ban --sirene fichiers/sirene --cog fichiers/reference --out base",
    match: "match bulletins.csv --store base --out resultats --precision 0,95 --workers 2",
    decide: "decide resultats --precision 0,98 --out resultats98",
    merge: "merge parties/35 parties/75 --out resultats",
    geocode: "geocode adresses.csv --store base --out places.csv --address adresse",
    nearby: "nearby --store base --lon 2.3478 --lat 48.8566 --radius 300",
    parse: 'parse "12 bis rue de la Gare 35000 Rennes"',
    activity: 'activity "pose de carrelage"',
    evaluate: "evaluate resultats --truth verite.csv --by TYPCOL --report rapport.html",
    train: "train bulletins.csv --truth verite.csv --store base --out modele",
    explain: "explain resultats --id 7000000000",
    review: "review resultats",
    audit: "audit resultats --size 300",
    certify: "certify resultats",
    download: "download --departements 35,75 --out fichiers",
    demo: "demo --out demo-out --size 2000",
}

app = typer.Typer(
    name="geomatch",
    help="Quel établissement du répertoire Sirene est ce lieu de travail déclaré ?",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command, _example in COMMANDS.items():
    app.command(epilog=f"Exemple : geomatch {_example}")(_command)
app.add_typer(store_app, name="store")


@ending_tidily()
def main() -> None:
    """Run the command line; exit codes: 0 done, 2 usage, 3 bad data, 4 source unavailable."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that knows no accents is no fault
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _refuse_other_names(sys.argv)
        language, arguments = asked(sys.argv[1:], os.environ)
        with speaking(language):
            command = typer.main.get_command(app)
            tell_help(command)
            code = command.main(arguments, prog_name=app.info.name, standalone_mode=False)
    except GeomatchError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        show = getattr(error, "format_message", None)  # of a wrong call, whichever click it is
        if not callable(show):
            raise
        complain(_with_advice(str(show())))
        sys.exit(ConfigError.exit_code)
    # Commands return nothing: what comes back is the code of a stop, such as Ctrl-C's 130.
    if isinstance(code, int):
        sys.exit(code)


def _refuse_other_names(arguments: list[str]) -> None:
    """Raise :class:`ConfigError` for a path that is not UTF-8, before any work is done."""
    strange = [a for a in arguments if not is_utf8_name(a)]
    if strange:
        told = os.fsencode(strange[0]).decode("utf-8", "backslashreplace")
        raise ConfigError(f"'{told}' is not UTF-8 text; rename the file or folder")


def _with_advice(message: str) -> str:
    """What a wrong call is told, and what to type where the shell made many files of a ``*``."""
    if "unexpected extra argument" not in message:
        return message
    return (
        f"{message.rstrip('.')}. Did the shell replace a * by several files? Give their folder "
        "(--ban files/ban), or the option once for each file (--ban a.csv.gz --ban b.csv.gz)"
    )


def _show_version(value: bool) -> None:
    if value:
        screen.print(f"geomatch {geomatch.__version__}", highlight=False)
        raise typer.Exit


#: Commands whose files hold nothing of bulletins: others may read them.
_PUBLIC = ("build", "download", "demo", "nearby", "store")

#: Commands that tell of bulletins and verdicts: their pages and stories are French.
_FRENCH = ("explain", "review", "certify", "demo")


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="La version.")
    ] = False,
    lang: Annotated[
        str,
        typer.Option(
            OPTION, help="Langue de l'écran : fr ou en. [défaut : en si LANG le dit, sinon fr]"
        ),
    ] = "",
) -> None:
    """Shared options."""
    if context.invoked_subcommand in _FRENCH:
        speak(FRENCH)
    if context.invoked_subcommand not in _PUBLIC:
        context.with_resource(private_files())
