"""Recipes of a study: text that was checked when it was kept, by name; a newer one of a name hides the older."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellmetry.errors import UnknownName
from cellmetry.study.store.acts import ALIVE, act, hide_row
from cellmetry.study.store.names import new_name

if TYPE_CHECKING:
    import sqlite3

    from cellmetry.study.store.acts import Actor
    from cellmetry.study.store.store import Store

__all__ = ["StoredRecipe", "add_recipe", "find_recipe", "hide_recipe", "recipe", "recipes"]


@dataclass(frozen=True)
class StoredRecipe:
    """A recipe.

    Parameters
    ----------
    text
        As in a file: TOML.
    sha256
        Of the text.
    """

    id: str
    name: str
    text: str
    sha256: str
    added_by: int
    removed_by: int | None


def add_recipe(store: Store, actor: Actor, name: str, text: str) -> str:
    """Return the id of a recipe that was kept; the one of the same name is hidden.

    The text is kept as it is: who calls has read it as a recipe before.
    """
    store.must_be_writable()
    recipe_id, sha256 = new_name("rcp"), hashlib.sha256(text.encode()).hexdigest()
    with store.database.write() as connection:
        seq = act(store, actor, "recipe", f"Keep the recipe {name}", recipe=recipe_id)
        connection.execute(f"UPDATE recipes SET removed_by = ? WHERE name = ? AND {ALIVE}", (seq, name))
        connection.execute(
            "INSERT INTO recipes (id, name, text, sha256, added_by) VALUES (?, ?, ?, ?, ?)",
            (recipe_id, name, text, sha256, seq),
        )
    return recipe_id


def recipe(store: Store, recipe_id: str) -> StoredRecipe:
    """Return a recipe by its id, also a hidden one.

    Raises
    ------
    UnknownName
        If there is none.
    """
    row = store.database.row("SELECT * FROM recipes WHERE id = ?", (recipe_id,))
    if row is None:
        raise UnknownName("recipe", recipe_id, (each.name for each in recipes(store)))
    return _recipe_of(row)


def find_recipe(store: Store, name: str) -> StoredRecipe | None:
    """Return the recipe of this id or, among those that are to be seen, of this name; None if there is none."""
    row = store.database.row(
        f"SELECT * FROM recipes WHERE id = ?1 OR (name = ?1 AND {ALIVE}) "
        "ORDER BY id = ?1 DESC, added_by DESC, rowid DESC",
        (name,),
    )
    return None if row is None else _recipe_of(row)


def recipes(store: Store) -> list[StoredRecipe]:
    """Return the recipes that are to be seen, the oldest first."""
    return [
        _recipe_of(row) for row in store.database.rows(f"SELECT * FROM recipes WHERE {ALIVE} ORDER BY added_by, rowid")
    ]


def hide_recipe(store: Store, actor: Actor, recipe_id: str) -> int:
    """Return the act that hid a recipe; undoing it brings the recipe back.

    Raises
    ------
    UnknownName
        If there is none.
    ParameterError
        If it is hidden already.
    """
    store.must_be_writable()
    with store.database.write():
        found = recipe(store, recipe_id)
        seq = act(store, actor, "remove", f"Remove the recipe {found.name}", recipe=recipe_id)
        hide_row(store, seq, "recipes", recipe_id)
    return seq


def _recipe_of(row: sqlite3.Row) -> StoredRecipe:
    return StoredRecipe(**dict(row))
