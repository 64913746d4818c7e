"""Accounts: passwords are kept as argon2, keys as hashes; what is ended lets nobody in; rights of roles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from fastapi import HTTPException

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.server.security.accounts import ACCOUNTS_FILE, Accounts
from cellmetry.server.security.rate import RateLimit
from cellmetry.server.security.visitor import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"
STUDY = "study_0123456789abcdef"


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    """Accounts of mira."""
    found = Accounts(tmp_path)
    found.add("mira", PASSWORD)
    yield found
    found.close()


def test_no_secret_is_kept(accounts: Accounts, tmp_path: Path) -> None:
    _, secret = accounts.new_key("mira", "token", "script", timedelta(days=1))
    accounts.close()
    kept = (tmp_path / ACCOUNTS_FILE).read_bytes()
    assert b"$argon2id$" in kept
    assert PASSWORD.encode() not in kept
    assert secret.encode() not in kept


def test_only_the_right_password_of_an_account_is_taken(accounts: Accounts) -> None:
    assert accounts.check("mira", PASSWORD)
    assert not accounts.check("mira", PASSWORD + "!")
    assert not accounts.check("nobody", PASSWORD)


@pytest.mark.parametrize("name", ["", "Mira", "a/b", "../x", "a" * 65, "-x", "mira", "x\n"])
def test_names_are_plain_and_never_used_twice(accounts: Accounts, name: str) -> None:
    with pytest.raises(ParameterError):
        accounts.add(name, PASSWORD)


def test_a_name_is_not_given_away_after_its_removal(accounts: Accounts) -> None:
    accounts.remove("mira")
    assert accounts.all() == []
    assert not accounts.check("mira", PASSWORD)
    with pytest.raises(ParameterError, match="is or was"):
        accounts.add("mira", PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_passwords_have_a_length(accounts: Accounts, password: str) -> None:
    with pytest.raises(ParameterError, match="10 to 1024"):
        accounts.set_password("mira", password)


def test_keys_end_with_their_time_their_password_and_their_account(accounts: Accounts) -> None:
    def key(life: timedelta = timedelta(days=1)) -> str:
        return accounts.new_key("mira", "session", "", life)[1]

    late, first = key(timedelta(seconds=-1)), key()
    assert accounts.visitor(late, "session") is None
    assert accounts.visitor(first, "session").who == "mira"
    assert accounts.visitor(first, "token") is None
    accounts.set_password("mira", PASSWORD + "2")
    assert accounts.visitor(first, "session") is None
    second = key()
    accounts.remove("mira")
    assert accounts.visitor(second, "session") is None


def test_only_their_owner_ends_keys(accounts: Accounts) -> None:
    accounts.add("nils", PASSWORD)
    made, secret = accounts.new_key("mira", "token", "script", timedelta(days=1))
    with pytest.raises(UnknownName):
        accounts.end_key("nils", made.id)
    assert [each.name for each in accounts.keys("mira", "token")] == ["script"]
    accounts.end_key("mira", made.id)
    assert accounts.visitor(secret, "token") is None


def test_roles_are_given_changed_and_taken(accounts: Accounts) -> None:
    assert accounts.role(STUDY, "mira") is None
    for role in Role:
        accounts.set_role(STUDY, "mira", role)
        assert accounts.role(STUDY, "mira") is role
    assert accounts.owned("mira") == accounts.owned() == [STUDY]
    assert accounts.owned(before=datetime.now(UTC) - timedelta(hours=1)) == []
    accounts.set_role(STUDY, "mira", None)
    assert accounts.roles(STUDY) == {}
    with pytest.raises(UnknownName):
        accounts.set_role(STUDY, "nobody", Role.viewer)


def test_a_role_covers_itself_and_those_below() -> None:
    order = [Role.viewer, Role.editor, Role.owner]
    for i, role in enumerate(order):
        assert [role.covers(other) for other in order] == [j <= i for j in range(3)]


def test_tries_are_counted_within_their_time() -> None:
    now = 0.0
    limit = RateLimit(2, 60.0, clock=lambda: now)
    limit.take("a")
    limit.take("a")
    limit.take("b")
    with pytest.raises(HTTPException) as refused:
        limit.take("a")
    assert refused.value.status_code == 429
    assert refused.value.headers == {"Retry-After": "61"}
    now = 61.0
    limit.take("a")
    limit.forget("a")
    limit.take("a")
    limit.take("a")
