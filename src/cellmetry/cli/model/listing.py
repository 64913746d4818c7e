"""`cellmetry model list`: which models there are, or which versions of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cellmetry.cli.options import Json
from cellmetry.models import store
from cellmetry.models.versions import describe_versions, locate_versions
from cellmetry.settings import models_folder

if TYPE_CHECKING:
    from cellmetry.models.card import ModelCard

__all__ = ["list_models"]


def list_models(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of a model that was trained: list its versions.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the models that come with Cellmetry and those in your folder, or the versions of one.

    Example: [bold]cellmetry model list models/mine[/bold]
    """
    rows = _models() if folder is None else _versions(folder)
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        typer.echo(f"There is no model yet. Your folder of models is {models_folder()}.")
        return
    _print(rows)


def _models() -> list[dict[str, Any]]:
    rows = []
    for found in store.list_models():
        place = "Cellmetry" if found.path.parent == store.PACKAGED else str(found.path.parent)
        known = _card_values(found.card) if found.card else {}
        rows.append({"model": found.name, **known, "place": place, "problem": found.problem or ""})
    return rows


def _versions(folder: Path) -> list[dict[str, Any]]:
    return [
        {"model": name, "in_use": version.used, **_card_values(version.model.card), "place": str(version.model.path)}
        for place, name in [locate_versions(folder)]
        for version in describe_versions(place, name)
    ]


def _card_values(card: ModelCard) -> dict[str, Any]:
    return {
        "version": card.version,
        "licence": card.licence,
        "non_commercial": card.non_commercial,
        "heads": list(card.heads),
        "size_mb": round(card.size_bytes / 1e6, 2),
        "sha256": card.sha256,
        "summary": card.summary,
        "scores": [score.model_dump(mode="json") for score in card.scores],
    }


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    headings = ("model", "version", "in use", "summary", "licence", "MB", "where")
    shown = [heading for heading in headings if heading != "in use" or "in_use" in rows[0]]
    for heading in shown:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cells(row)[heading]) for heading in shown))
    Console().print(table)
    for row in rows:
        if row.get("problem"):
            Console(soft_wrap=True).print(Text(f"{row['model']}: {row['problem']}", style="red"))


def _cells(row: dict[str, Any]) -> dict[str, str]:
    forbidden = ", not for commercial use" if row.get("non_commercial") else ""
    return {
        "model": row["model"],
        "version": str(row.get("version", "")),
        "in use": "yes" if row.get("in_use") else "",
        "summary": str(row.get("summary", "cannot be used, see below")),
        "licence": f"{row.get('licence', '')}{forbidden}",
        "MB": str(row.get("size_mb", "")),
        "where": row["place"],
    }
