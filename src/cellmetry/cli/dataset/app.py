"""`cellmetry dataset`: gathers the commands for data sets."""

from __future__ import annotations

import typer

from cellmetry.cli.dataset.check import check
from cellmetry.cli.dataset.generate import generate
from cellmetry.cli.dataset.get import get
from cellmetry.cli.dataset.importing import import_data
from cellmetry.cli.dataset.list import list_data
from cellmetry.cli.dataset.split import split
from cellmetry.cli.dataset.transfer import transfer

__all__ = ["dataset_app"]

dataset_app = typer.Typer(
    help="Data sets to train and to test with: make, import, check, split, get.", no_args_is_help=True
)
for command in (check, split, get, generate, transfer):
    dataset_app.command()(command)
dataset_app.command("import")(import_data)
dataset_app.command("list")(list_data)
