"""`Accounts`: people, their passwords, sessions and tokens, and their roles in studies, in one SQLite file."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from cellmetry.errors import ParameterError, UnknownName
from cellmetry.server.security.tokens import hash_of, new_token
from cellmetry.server.security.visitor import Role, Visitor
from cellmetry.study.store.database import Database

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ACCOUNTS_FILE", "PASSWORD_CHARACTERS", "Account", "Accounts", "Key"]

ACCOUNTS_FILE = "accounts.sqlite"
PASSWORD_CHARACTERS = (10, 1024)
"""The shortest and the longest password."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_HASHES_AT_ONCE = threading.Semaphore(2)  # each takes 64 MB
_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (
  name TEXT PRIMARY KEY, password TEXT NOT NULL, admin INTEGER NOT NULL, created TEXT NOT NULL, removed TEXT
);
CREATE TABLE IF NOT EXISTS keys (
  hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, who TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
  created TEXT NOT NULL, ends TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS roles (
  study TEXT NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (study, who)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sandboxes (folder TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Account:
    """A person who may sign in."""

    name: str
    admin: bool
    created: str


@dataclass(frozen=True)
class Key:
    """A session of a browser or a token of a program: who it lets in, and until when."""

    id: str
    who: str
    kind: str
    name: str
    created: str
    ends: str


class Accounts:
    """The accounts of a home folder; several processes may use them at one time."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        path = home / ACCOUNTS_FILE
        path.touch(mode=0o600)
        self._database = Database(path)
        self._hasher = PasswordHasher()
        self._nobody = ""
        with self._database.write() as connection:
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def all(self) -> list[Account]:
        """Return the accounts by name."""
        rows = self._database.rows(
            "SELECT name, admin, created FROM accounts WHERE removed IS NULL ORDER BY name LIMIT 10000"
        )
        return [Account(row["name"], bool(row["admin"]), row["created"]) for row in rows]

    def is_admin(self, name: str) -> bool:
        """Return whether somebody owns every study."""
        row = self._database.row("SELECT admin FROM accounts WHERE name = ? AND removed IS NULL", (name,))
        return row is not None and bool(row["admin"])

    def add(self, name: str, password: str, *, admin: bool = False) -> None:
        """Make an account.

        Raises
        ------
        ParameterError
            If the name is taken or not plain, or the password too short.
        """
        if not _NAME.fullmatch(name):
            raise ParameterError(
                f"The name {name!r} is not plain: 1 to 64 of a-z, 0-9, '.', '_', '@', '-', first a letter or digit."
            )
        hashed = self._hash(password)
        with self._database.write() as connection:
            if self._database.row("SELECT 1 FROM accounts WHERE name = ?", (name,)):
                raise ParameterError(f"There is or was an account {name}; choose another name.")
            connection.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, NULL)", (name, hashed, admin, _now()))

    def remove(self, name: str) -> None:
        """Let a person in no more; what they did keeps their name, which nobody else can get.

        Raises
        ------
        UnknownName
            If there is no such account.
        """
        self._must_be(name)
        with self._database.write() as connection:
            connection.execute("UPDATE accounts SET removed = ? WHERE name = ?", (_now(), name))
            connection.execute("DELETE FROM keys WHERE who = ?", (name,))

    def set_password(self, name: str, password: str) -> None:
        """Give a person another password; all their sessions and tokens end.

        Raises
        ------
        UnknownName
            If there is no such account.
        ParameterError
            If the password is too short.
        """
        self._must_be(name)
        hashed = self._hash(password)
        with self._database.write() as connection:
            connection.execute("UPDATE accounts SET password = ? WHERE name = ?", (hashed, name))
            connection.execute("DELETE FROM keys WHERE who = ?", (name,))

    def check(self, name: str, password: str) -> bool:
        """Return whether this is the password of an account; it takes as long for a name that is none."""
        row = self._database.row("SELECT password FROM accounts WHERE name = ? AND removed IS NULL", (name,))
        with _HASHES_AT_ONCE:
            if not self._nobody:
                self._nobody = self._hasher.hash(secrets.token_hex())
            try:
                self._hasher.verify(self._nobody if row is None else row["password"], password)
            except (VerifyMismatchError, InvalidHashError):
                return False
        return row is not None

    def new_key(self, who: str, kind: str, name: str, life: timedelta) -> tuple[Key, str]:
        """Return a new session or token with its secret, which is kept nowhere."""
        secret = new_token()
        now = datetime.now(UTC)
        key = Key(f"{kind}_{secrets.token_hex(8)}", who, kind, name, now.isoformat(), (now + life).isoformat())
        with self._database.write() as connection:
            connection.execute("DELETE FROM keys WHERE ends < ?", (now.isoformat(),))
            connection.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)",
                (hash_of(secret), key.id, who, kind, name, key.created, key.ends),
            )
        return key, secret

    def keys(self, who: str, kind: str) -> list[Key]:
        """Return the sessions or tokens of a person that let in now."""
        rows = self._database.rows(
            "SELECT id, who, kind, name, created, ends FROM keys WHERE who = ? AND kind = ? AND ends > ? "
            "ORDER BY created LIMIT 1000",
            (who, kind, _now()),
        )
        return [Key(**dict(row)) for row in rows]

    def end_key(self, who: str, key_id: str) -> None:
        """Let nobody in by a session or token any more.

        Raises
        ------
        UnknownName
            If this person has none of this id.
        """
        with self._database.write() as connection:
            if not connection.execute("DELETE FROM keys WHERE id = ? AND who = ?", (key_id, who)).rowcount:
                raise UnknownName("session or token", key_id)

    def visitor(self, secret: str, kind: str) -> Visitor | None:
        """Return whom a secret lets in."""
        row = self._database.row(
            "SELECT keys.id, keys.who, ifnull(accounts.admin, 0) AS admin FROM keys "
            "LEFT JOIN accounts ON accounts.name = keys.who WHERE hash = ? AND kind = ? AND ends > ?",
            (hash_of(secret), kind, _now()),
        )
        return None if row is None else Visitor(row["who"], bool(row["admin"]), row["id"])

    def role(self, study_id: str, who: str) -> Role | None:
        """Return what a person may do to a study."""
        row = self._database.row("SELECT role FROM roles WHERE study = ? AND who = ?", (study_id, who))
        return None if row is None else Role(row["role"])

    def roles(self, study_id: str) -> dict[str, Role]:
        """Return who may do what to a study."""
        rows = self._database.rows("SELECT who, role FROM roles WHERE study = ? ORDER BY who LIMIT 10000", (study_id,))
        return {row["who"]: Role(row["role"]) for row in rows}

    def set_role(self, study_id: str, who: str, role: Role | None) -> None:
        """Say what a person may do to a study; None takes all rights away.

        Raises
        ------
        UnknownName
            If there is no such account.
        """
        self._must_be(who)
        self._write_role(study_id, who, role)

    def own(self, study_id: str, who: str) -> None:
        """Note that somebody, with an account or not, made a study."""
        self._write_role(study_id, who, Role.owner)

    def owned(self, who: str | None = None, *, before: datetime | None = None) -> list[str]:
        """Return the studies that somebody made, or anybody, or those made before a time."""
        rows = self._database.rows(
            "SELECT DISTINCT study FROM roles WHERE role = 'owner' AND (?1 IS NULL OR who = ?1) "
            "AND (?2 IS NULL OR since < ?2)",
            (who, None if before is None else before.isoformat()),
        )
        return [row["study"] for row in rows]

    def forget_study(self, study_id: str) -> None:
        """Forget who may do what to a study that is no more."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM roles WHERE study = ?", (study_id,))

    def sandbox_since(self, folder: str, seen: datetime) -> datetime:
        """Return since when a visitor's study lies in a folder: what was `seen` of it first."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO sandboxes VALUES (?, ?)", (folder, seen.isoformat()))
        row = self._database.row("SELECT since FROM sandboxes WHERE folder = ?", (folder,))
        return seen if row is None else datetime.fromisoformat(row["since"])

    def forget_sandbox(self, folder: str) -> None:
        """Forget since when there is a folder that is about to be removed: another one may get its name."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM sandboxes WHERE folder = ?", (folder,))

    def _write_role(self, study_id: str, who: str, role: Role | None) -> None:
        with self._database.write() as connection:
            connection.execute("DELETE FROM roles WHERE study = ? AND who = ?", (study_id, who))
            if role is not None:
                connection.execute("INSERT INTO roles VALUES (?, ?, ?, ?)", (study_id, who, role, _now()))

    def _must_be(self, name: str) -> None:
        known = {each.name for each in self.all()}
        if name not in known:
            raise UnknownName("account", name)

    def _hash(self, password: str) -> str:
        shortest, longest = PASSWORD_CHARACTERS
        if not shortest <= len(password) <= longest:
            raise ParameterError(f"A password has {shortest} to {longest} characters.")
        with _HASHES_AT_ONCE:
            return self._hasher.hash(password)


def _now() -> str:
    return datetime.now(UTC).isoformat()
