"""`cellmetry serve`: the server on this computer, or for a group, or as a public demo."""

from __future__ import annotations

import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cellmetry.errors import MissingInput

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["serve"]


class ModeChoice(StrEnum):
    """Whom a server lets in."""

    laptop = "laptop"
    server = "server"
    demo = "demo"


def serve(
    study: Annotated[
        Path | None, typer.Argument(help="Folder of a study, NAME.cellmetry, to be open besides those of --home.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 for other computers.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 for any that is free.")] = 8765,
    root_path: Annotated[str, typer.Option(help="Path below which a proxy shows the server, as /cellmetry.")] = "",
    home: Annotated[
        Path | None, typer.Option(help="Folder of the studies; CELLMETRY_HOME or Cellmetry in your own if left out.")
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(help="Folder below which images may be registered; your own in mode laptop if left out."),
    ] = None,
    mode: Annotated[
        ModeChoice, typer.Option(help="laptop: you, by a token. server: accounts. demo: anybody, with small limits.")
    ] = ModeChoice.laptop,
    name: Annotated[
        list[str] | None, typer.Option(help="Name by which the server is called, as lab.example.org; can be repeated.")
    ] = None,
    proxy: Annotated[
        list[str] | None, typer.Option(help="Address of a proxy whose X-Forwarded headers are believed.")
    ] = None,
    open_browser: Annotated[
        bool | None, typer.Option("--open/--no-browser", help="Open a browser; done in mode laptop if left out.")
    ] = None,
) -> None:
    """Serve studies to browsers and programs until Ctrl+C.

    Example: [bold]cellmetry serve[/bold]
    """
    from cellmetry.server.running import run_server  # noqa: PLC0415  other commands need no web framework
    from cellmetry.server.settings import DEMO_LIMITS, Limits, ServerSettings  # noqa: PLC0415
    from cellmetry.study.home import default_home  # noqa: PLC0415
    from cellmetry.study.store.store import is_study  # noqa: PLC0415

    if study is not None and not (study.is_dir() and is_study(study)):
        raise MissingInput(f"There is no study {study}; `cellmetry study add NAME.cellmetry IMAGES` makes one.")
    roots = tuple(root) if root else (Path.home(),) if mode is ModeChoice.laptop else ()
    settings = ServerSettings(
        home=(home or default_home()).absolute(),
        mode=mode.value,
        host=host,
        port=port,
        root_path=f"/{root_path.strip('/')}" if root_path.strip("/") else "",
        names=tuple(name or ()),
        roots=() if mode is ModeChoice.demo else roots,
        limits=DEMO_LIMITS if mode is ModeChoice.demo else Limits(),
        studies=() if study is None else (study.absolute(),),
    )
    shown = mode is ModeChoice.laptop if open_browser is None else open_browser
    run_server(settings, _say(shown), proxies=tuple(proxy or ()))


def _say(open_browser: bool) -> Callable[[str], None]:
    def say(address: str) -> None:
        Console(soft_wrap=True, highlight=False).print(f"Cellmetry serves at {address}  (Ctrl+C ends it)", markup=False)
        if open_browser:
            webbrowser.open(address)

    return say
