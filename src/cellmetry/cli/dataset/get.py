"""`cellmetry dataset get`: fetch a public data set and make it one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry.cli.progress import terminal_progress
from cellmetry.core.parameters import parse_parameters
from cellmetry.errors import InputError
from cellmetry.learn.fetching import accept_file, fetch_file, unpack_files
from cellmetry.learn.importers import IMPORTERS
from cellmetry.learn.importers.writing import report_sentences
from cellmetry.learn.registry import PublicDataSet, find_public

if TYPE_CHECKING:
    from cellmetry.core.progress import Progress

__all__ = ["get"]


def get(
    name: Annotated[str, typer.Argument(help="Name of a public data set; `cellmetry dataset list` lists them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the downloads, the source and the data set.")],
    given: Annotated[
        list[Path] | None,
        typer.Option("--from", help="A file of the data set that you fetched by hand. May be repeated."),
    ] = None,
) -> None:
    """Fetch a public data set, unpack it and import it; nothing is ever fetched without this command.

    In --out, downloads/ keeps the files as they came, source/ what was in them, and data/ is the data set. Called
    again after a broken connection, it goes on where it stopped.

    Example: [bold]cellmetry dataset get bbbc039 --out bbbc039/[/bold]
    """
    data = find_public(name)
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(f"{data.title}\nLicence: {data.licence}    Home: {data.home}"))
    if data.non_commercial:
        console.print(Text("Not for commercial use, nor is any model that learns from it.", style="bold yellow"))
    with terminal_progress() as progress:
        files = _given(data, given) if given else _fetched(data, out / "downloads", progress)
        unpack_files(files, out / "source", progress=progress)
        if data.importer is not None:
            importer = parse_parameters(IMPORTERS.load(data.importer), data.options, where=f"registry: {data.name}")
            importer(out / "source", out / "data", data.card, progress)
    if data.importer is None:
        console.print(Text(f"Unpacked: {out / 'source'}. {data.advice}"))
        return
    for sentence in report_sentences(out / "data"):
        console.print(Text(sentence, style="yellow"))
    console.print(Text(f"Data set: {out / 'data'}. If you publish, cite: {data.citation or data.home}"))


def _given(data: PublicDataSet, given: list[Path]) -> list[tuple[Path, str]]:
    below = {file.name: file.unpack for file in data.files}
    missing = sorted(below.keys() - {path.name for path in given})
    if missing and len(given) < len(below):
        raise InputError(f"{data.name} consists of {len(below)} files; {', '.join(missing)} must be given too.")
    for path in given:
        accept_file(data.files, path)
    return [(path, below.get(path.name, ".")) for path in given]


def _fetched(data: PublicDataSet, folder: Path, progress: Progress) -> list[tuple[Path, str]]:
    if data.login or not data.files:
        why = "asks for a login or to accept terms first" if data.login else "has no address that is known to stay"
        raise InputError(
            f"{data.name} cannot be fetched by a program: its page, {data.home}, {why}. Fetch the archive there in a "
            f"browser and give it with --from FILE."
        )
    unknown = [file.name for file in data.files if file.sha256 is None]
    if unknown:
        Console(stderr=True, soft_wrap=True).print(
            Text(f"No checksum is known for {', '.join(unknown)}: it is recorded now, and compared from now on.")
        )
    return [(fetch_file(file, folder, progress=progress), file.unpack) for file in data.files]
