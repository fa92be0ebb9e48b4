"""Help of the commands in one language: what the command line library says, and what we say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from geomatch.core.language import is_english, said

#: What the library says in English → how a French help says it; each stands at one place only.
_LIBRARY: Mapping[str, str] = {
    r"^Usage:": "Usage :",
    r"\[OPTIONS\]": "[OPTIONS]",
    r"\bCOMMAND \[ARGS\]\.\.\.": "COMMANDE [ARGUMENTS]…",
    r"^Options:": "Options :",
    r"^Arguments:": "Arguments :",
    r"^Commands:": "Commandes :",
    r"\[required\]": "[obligatoire]",
    r"\[default:": "[défaut :",
    r"\(empty\)": "(vide)",
    r"Show this message and exit\.": "Afficher cette aide.",
    r"Install completion for the current shell\.": "Installer la complétion du terminal.",
    r"Show completion for the current shell, to copy it or\s+customize the installation\.": (
        "Afficher la complétion du terminal."
    ),
}
_EXAMPLE = "Exemple"


def tell_help(command: Any) -> None:
    """Have a command and those below it show their help in the language of the screen.

    `command` is the library's object, whichever release of it there is: it is changed.
    """
    if command.epilog:
        command.epilog = command.epilog.replace(
            f"{_EXAMPLE} :", f"{said(_EXAMPLE)}:", int(is_english())
        )
    for text in ("help", "short_help"):
        if getattr(command, text, None):
            setattr(command, text, said(getattr(command, text)))
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = said(parameter.help)
    if not is_english():
        english_help = command.get_help
        command.get_help = lambda context: _french(english_help(context))
    for below in getattr(command, "commands", {}).values():
        tell_help(below)


def _french(text: str) -> str:
    for english, french in _LIBRARY.items():
        text = re.sub(english, french, text, flags=re.MULTILINE)
    return text
