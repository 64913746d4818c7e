"""The command `cellmetry`: gathers the commands and turns errors into sentences and exit codes."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cellmetry import __version__
from cellmetry.cli.compare import compare
from cellmetry.cli.count import count
from cellmetry.cli.dataset.app import dataset_app
from cellmetry.cli.demo import demo
from cellmetry.cli.diff import diff
from cellmetry.cli.dose_response import dose_response
from cellmetry.cli.engines import engines
from cellmetry.cli.evaluate import evaluate
from cellmetry.cli.exporting import export
from cellmetry.cli.fiji import fiji
from cellmetry.cli.importing import import_outlines
from cellmetry.cli.info import info
from cellmetry.cli.job.app import job_app
from cellmetry.cli.maps import maps
from cellmetry.cli.measure import measure
from cellmetry.cli.model.app import model_app
from cellmetry.cli.positive import positive
from cellmetry.cli.quantify import quantify
from cellmetry.cli.recipe import recipe_app
from cellmetry.cli.run import run
from cellmetry.cli.segment import segment
from cellmetry.cli.serve import serve
from cellmetry.cli.shading import shading
from cellmetry.cli.shifts import shifts
from cellmetry.cli.study.app import study_app
from cellmetry.cli.train import train
from cellmetry.cli.user.app import user_app
from cellmetry.errors import CellmetryError

__all__ = ["app", "main"]

app = typer.Typer(
    name="cellmetry",
    help="Microscope images to numbers a reviewer can trust: segment, measure, record.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *(info, segment, measure, quantify, count, maps, run, dose_response, positive),
    *(compare, diff, shading, shifts, engines, evaluate, train, demo, serve),
):
    app.command()(command)
app.command()(export)
app.command()(fiji)
app.command("import")(import_outlines)
app.add_typer(recipe_app, name="recipe")
app.add_typer(model_app, name="model")
app.add_typer(dataset_app, name="dataset")
app.add_typer(study_app, name="study")
app.add_typer(job_app, name="job")
app.add_typer(user_app, name="user")


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cellmetry {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Tell more about what happens, on standard error.")
    ] = False,
) -> None:
    """Microscope images to numbers a reviewer can trust."""
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, format="%(name)s: %(message)s")
    for name in ("numba", "PIL", "tifffile", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def main() -> None:
    """Run the command line; errors become one sentence on standard error and an exit code."""
    try:
        app()
    except CellmetryError as error:
        _complain(str(error))
        sys.exit(error.exit_code)


def _complain(sentence: str) -> None:
    Console(stderr=True, soft_wrap=True).print(Text.assemble(("Error: ", "bold red"), sentence))
