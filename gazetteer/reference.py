"""What is known of one reference source, in one record that is refused when incomplete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path

import duckdb

from gazetteer.accounts import Account
from gazetteer.files import Source
from gazetteer.layouts import Layout
from gazetteer.loading import Loader, Stage
from gazetteer.options import BuildOptions

#: Options of the build that name files or folders, in the order their files are looked for.
OPTIONS = ("ban", "cog", "sirene", "geoloc", "naf")

#: Writes a file's rows by département, and tells what became of them: database, file, folder,
#: condition on ``departement``.
Cut = Callable[[duckdb.DuckDBPyConnection, Source, Path, str], Account]


class Presence(Enum):
    """How many files of a source a build takes."""

    #: exactly one; of several vintages the latest
    LATEST = "latest"
    #: one or more
    SOME = "some"
    #: any number, none included
    OPTIONAL = "optional"


@dataclass(frozen=True)
class Publication:
    """Where a source is published, and the name its file gets in the download folder.

    `family` is the publisher's name in ``DownloadOptions``; all sources of a family have the same
    `base_url`. ``{departement}`` in the names stands for a code: one file per département.
    `name` is that of the file once downloaded, the publisher's when empty.
    """

    family: str
    base_url: str
    remote_name: str
    name: str = ""
    #: the publisher does not have it for every département
    may_lack: bool = False
    #: whether ``geomatch download`` fetches it
    is_fetched: bool = True


@dataclass(frozen=True)
class Reference:
    """One reference source: everything the build, the download and the fixtures know of it."""

    layout: Layout
    #: option whose folder holds the file; also its folder in a download
    option: str
    presence: Presence
    stage: Stage
    publication: Publication
    #: one invented row, for the fixtures and the demo: official column → value
    example: Mapping[str, str]
    #: puts the source into the build; sources of the stage ADDRESSES have `cut` instead
    load: Loader | None = None
    cut: Cut | None = None
    #: option that, when given, is used instead of `option`
    own_option: str = ""
    #: option without which the source is left aside
    only_with: str = ""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ValueError(f"reference source '{self.role}': {'; '.join(problems)}")

    @property
    def role(self) -> str:
        """What the source is called in the build and in the manifest."""
        return self.layout.role

    def is_wanted(self, options: BuildOptions) -> bool:
        """Whether a build with these options uses the source."""
        return not self.only_with or getattr(options, self.only_with) is not None

    def option_of(self, options: BuildOptions) -> str:
        """The option under which a build looks for the source."""
        has_own = bool(self.own_option) and getattr(options, self.own_option) is not None
        return self.own_option if has_own else self.option

    def _problems(self) -> list[str]:
        known = {f.name for f in fields(BuildOptions)}
        found = self.layout.resolve(list(self.example))
        lacks = [c for c in self.layout.signature if c not in found]
        lacks += self.layout.missing(found)
        problems = {
            "the layout has no role or no title": not (self.role and self.layout.title),
            "the layout has no signature or no needed column": not (
                self.layout.signature and self.layout.needed
            ),
            f"option '{self.option}' is not one of {', '.join(OPTIONS)}": (
                self.option not in OPTIONS
            ),
            f"own_option '{self.own_option}' is not one of {', '.join(OPTIONS)}": (
                self.own_option not in ("", *OPTIONS)
            ),
            f"only_with '{self.only_with}' is no option of the build": (
                bool(self.only_with) and self.only_with not in known
            ),
            f"the example lacks the column(s) {', '.join(dict.fromkeys(lacks))}": bool(lacks),
            "give `cut` at the stage ADDRESSES, `load` at any other, and not both": (
                (self.load is None) == (self.cut is None)
                or (self.cut is not None) != (self.stage is Stage.ADDRESSES)
            ),
            "the publication has no family, no https:// base_url or no remote_name": not (
                self.publication.family
                and self.publication.base_url.startswith("https://")
                and self.publication.remote_name
            ),
        }
        return [text for text, is_wrong in problems.items() if is_wrong]


def by_role(references: Sequence[Reference]) -> dict[str, Reference]:
    """Role → record. Raises :class:`ValueError` when two records do not go together.

    A file is of the first layout whose signature it has, so the example of each record has to be
    recognised as of its own role.
    """
    bases: dict[str, str] = {}
    found: dict[str, Reference] = {}
    for one in references:
        if one.role in found:
            raise ValueError(f"reference source '{one.role}' has two records; keep one")
        found[one.role] = one
        base = bases.setdefault(one.publication.family, one.publication.base_url)
        if base != one.publication.base_url:
            raise ValueError(
                f"reference source '{one.role}': family '{one.publication.family}' is published at "
                f"{base}, got {one.publication.base_url}; give it another family"
            )
        columns = list(one.example)
        first = next(r for r in references if r.layout.is_signed(r.layout.resolve(columns)))
        if first is not one:
            raise ValueError(
                f"reference source '{one.role}': its columns are those of '{first.role}', which "
                "comes before it; put it first or give it another signature"
            )
    return found
