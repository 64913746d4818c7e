"""`cellmetry user`: accounts and roles by the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from cellmetry.cli.user.app import user_app
from cellmetry.errors import CellmetryError, ParameterError, UnknownName
from cellmetry.server.security.accounts import Accounts
from cellmetry.server.security.visitor import Role
from cellmetry.study.store.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"


@pytest.fixture
def user(tmp_path: Path) -> Any:
    """Run a command for the accounts of a home folder; its error is raised."""

    def run(*arguments: str, typed: str = f"{PASSWORD}\n") -> str:
        done = CliRunner().invoke(user_app, [*arguments, "--home", str(tmp_path)], input=typed)
        if isinstance(done.exception, CellmetryError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_accounts_come_and_go(user: Any, tmp_path: Path) -> None:
    assert "no accounts yet" in user("list")
    assert PASSWORD not in user("add", "mira", "--admin", "--password-stdin")
    user("add", "nils", typed=f"{PASSWORD}\n{PASSWORD}\n")
    listed = json.loads(user("list", "--json"))
    assert [(each["name"], each["admin"]) for each in listed] == [("mira", True), ("nils", False)]
    user("password", "nils", "--password-stdin", typed="another password\n")
    accounts = Accounts(tmp_path)
    assert accounts.check("nils", "another password")
    user("remove", "nils")
    assert not accounts.check("nils", "another password")
    accounts.close()
    with pytest.raises(ParameterError):
        user("add", "otto", "--password-stdin", typed="short\n")
    with pytest.raises(UnknownName):
        user("remove", "nobody")


def test_roles_are_given_and_taken(user: Any, tmp_path: Path) -> None:
    user("add", "mira", "--password-stdin")
    folder = tmp_path / "edu.cellmetry"
    folder.mkdir()
    with open_store(folder) as store:
        study = store.id
        user("role", "mira", str(folder), "editor")  # also while a server has it open
    accounts = Accounts(tmp_path)
    assert accounts.role(study, "mira") is Role.editor
    user("role", "mira", str(folder), "none")
    assert accounts.role(study, "mira") is None
    accounts.close()
