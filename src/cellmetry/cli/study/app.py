"""`cellmetry study`: gathers the commands for studies."""

from __future__ import annotations

import typer

from cellmetry.cli.study.add import add
from cellmetry.cli.study.design import design
from cellmetry.cli.study.example import example
from cellmetry.cli.study.new import new
from cellmetry.cli.study.relink import relink
from cellmetry.cli.study.repair import repair
from cellmetry.cli.study.run import run
from cellmetry.cli.study.verify import verify

__all__ = ["study_app"]

study_app = typer.Typer(help="A study: images, what they are of, and what is compared.", no_args_is_help=True)
for command in (new, add, design, run, example, verify, repair, relink):
    study_app.command()(command)
