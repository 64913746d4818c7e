"""`cellmetry model`: gathers the commands for models and their versions."""

from __future__ import annotations

import typer

from cellmetry.cli.model.check import check
from cellmetry.cli.model.compare import compare
from cellmetry.cli.model.install import install
from cellmetry.cli.model.listing import list_models
from cellmetry.cli.model.show import show
from cellmetry.cli.model.use import use

__all__ = ["model_app"]

model_app = typer.Typer(
    help="Models and their versions: list, show, check images, compare, roll back, install.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
model_app.command("list")(list_models)
for command in (show, check, compare, use, install):
    model_app.command()(command)
