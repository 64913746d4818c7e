"""The tables of a study's database, its version, and how an older one becomes a newer one.

What a user adds or takes away is never deleted: each row says by which act (`acts.py`) it came, and by which it went.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from cellmetry.errors import DamagedFile, InputError
from cellmetry.io.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cellmetry.study.store.database import Database

__all__ = ["MIGRATIONS", "VERSION", "make_tables", "migrate", "stored_version"]

_FIRST = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- What was done, in order. `at` is shown only: clocks jump.
CREATE TABLE acts (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  who TEXT NOT NULL,
  via TEXT NOT NULL,
  verb TEXT NOT NULL,
  summary TEXT NOT NULL,
  details TEXT NOT NULL DEFAULT '{}',
  undoes INTEGER REFERENCES acts (seq),
  undone_by INTEGER REFERENCES acts (seq)
);

-- Originals. They are never written to. `place` is seen from the study's folder, `whole` is the path on this computer.
CREATE TABLE files (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  place TEXT,
  whole TEXT NOT NULL,
  uploaded INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  entries INTEGER NOT NULL,
  newest_ns INTEGER NOT NULL,
  size INTEGER NOT NULL,
  added_by INTEGER NOT NULL REFERENCES acts (seq)
);
CREATE INDEX files_sha256 ON files (sha256);

CREATE TABLE images (
  id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL UNIQUE,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  header TEXT NOT NULL DEFAULT '{}',
  warnings TEXT NOT NULL DEFAULT '[]',
  pyramid TEXT,
  added_by INTEGER NOT NULL REFERENCES acts (seq),
  removed_by INTEGER REFERENCES acts (seq)
);

-- What users say of the study or of one image: the newest that is not undone holds.
CREATE TABLE said (
  act INTEGER NOT NULL REFERENCES acts (seq),
  subject TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (subject, key, act)
) WITHOUT ROWID;

CREATE TABLE labels (
  id TEXT PRIMARY KEY,
  image_id TEXT NOT NULL REFERENCES images (id),
  name TEXT NOT NULL,
  axes TEXT NOT NULL,
  shape TEXT NOT NULL,
  details TEXT NOT NULL DEFAULT '{}',
  levels INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  next_id INTEGER NOT NULL,
  first_checkpoint TEXT NOT NULL,
  checkpoint TEXT NOT NULL,
  checkpoint_version INTEGER NOT NULL DEFAULT 0,
  sha256 TEXT NOT NULL,
  origin TEXT NOT NULL DEFAULT '{}',
  added_by INTEGER NOT NULL REFERENCES acts (seq),
  removed_by INTEGER REFERENCES acts (seq)
);
CREATE INDEX labels_image ON labels (image_id);

-- Tiles of labels that differ from the checkpoint, as zstd frames of little-endian uint32.
CREATE TABLE tiles (
  labels_id TEXT NOT NULL REFERENCES labels (id),
  level INTEGER NOT NULL,
  t INTEGER NOT NULL,
  z INTEGER NOT NULL,
  y INTEGER NOT NULL,
  x INTEGER NOT NULL,
  version INTEGER NOT NULL,
  frame BLOB NOT NULL,
  PRIMARY KEY (labels_id, level, t, z, y, x)
);

-- Box (end exclusive) and pixels of each object in each plane.
CREATE TABLE objects (
  labels_id TEXT NOT NULL REFERENCES labels (id),
  t INTEGER NOT NULL,
  z INTEGER NOT NULL,
  id INTEGER NOT NULL,
  y0 INTEGER NOT NULL,
  y1 INTEGER NOT NULL,
  x0 INTEGER NOT NULL,
  x1 INTEGER NOT NULL,
  area_px INTEGER NOT NULL,
  PRIMARY KEY (labels_id, t, z, id)
) WITHOUT ROWID;

-- Each edit. A refused one has no version and changed nothing. `session` is the tab or program that made it.
CREATE TABLE edits (
  act INTEGER PRIMARY KEY REFERENCES acts (seq),
  labels_id TEXT NOT NULL REFERENCES labels (id),
  version INTEGER,
  base_version INTEGER NOT NULL,
  session TEXT NOT NULL DEFAULT '',
  operation TEXT NOT NULL,
  parameters TEXT NOT NULL,
  ids TEXT NOT NULL DEFAULT '[]',
  UNIQUE (labels_id, version)
);

-- What an edit changed: boxes (end exclusive) with their pixels before and after, as zstd frames.
CREATE TABLE patches (
  act INTEGER NOT NULL REFERENCES edits (act),
  part INTEGER NOT NULL,
  t INTEGER NOT NULL,
  z INTEGER NOT NULL,
  y0 INTEGER NOT NULL,
  y1 INTEGER NOT NULL,
  x0 INTEGER NOT NULL,
  x1 INTEGER NOT NULL,
  before BLOB NOT NULL,
  after BLOB NOT NULL,
  PRIMARY KEY (act, part)
);

CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  parameters TEXT NOT NULL,
  state TEXT NOT NULL,
  who TEXT NOT NULL,
  via TEXT NOT NULL,
  created TEXT NOT NULL,
  started TEXT,
  ended TEXT,
  task TEXT NOT NULL DEFAULT '',
  done INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  result TEXT NOT NULL DEFAULT '{}',
  act INTEGER REFERENCES acts (seq)
);
CREATE INDEX jobs_state ON jobs (state);

CREATE TABLE job_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id TEXT NOT NULL REFERENCES jobs (id),
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX job_events_job ON job_events (job_id, seq);

-- What is done of a job, image by image: a job that was stopped does only the rest.
CREATE TABLE job_units (
  job_id TEXT NOT NULL REFERENCES jobs (id),
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  result TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (job_id, name)
) WITHOUT ROWID;

-- Tables, comparisons, reports, exports: what lies at `place` in the study's folder and which job made it.
CREATE TABLE results (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  details TEXT NOT NULL DEFAULT '{}',
  job_id TEXT REFERENCES jobs (id),
  added_by INTEGER NOT NULL REFERENCES acts (seq),
  removed_by INTEGER REFERENCES acts (seq)
);

CREATE TABLE recipes (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  added_by INTEGER NOT NULL REFERENCES acts (seq),
  removed_by INTEGER REFERENCES acts (seq)
);

CREATE TABLE models (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  place TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  card TEXT NOT NULL,
  job_id TEXT REFERENCES jobs (id),
  added_by INTEGER NOT NULL REFERENCES acts (seq),
  removed_by INTEGER REFERENCES acts (seq)
);

-- What a rebase could not decide: where, what the human made there and what the new model says.
CREATE TABLE questions (
  id TEXT PRIMARY KEY,
  labels_id TEXT NOT NULL REFERENCES labels (id),
  text TEXT NOT NULL,
  details TEXT NOT NULL,
  answer TEXT,
  added_by INTEGER NOT NULL REFERENCES acts (seq),
  answered_by INTEGER REFERENCES acts (seq)
);

CREATE VIEW holding AS SELECT seq FROM acts WHERE undone_by IS NULL AND undoes IS NULL;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""SQL that makes version n + 1 of version n."""
VERSION = len(MIGRATIONS)
"""The version that this program writes."""


def stored_version(database: Database) -> int:
    """Return the version of the tables in a database, 0 if it has none.

    Raises
    ------
    DamagedFile
        If the file is a database of something else.
    """
    names = {row["name"] for row in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not names:
        return 0
    row = database.row("SELECT value FROM about WHERE key = 'schema'") if "about" in names else None
    if row is None:
        raise DamagedFile(f"{database.path} is not the database of a study; restore the study's folder from a backup.")
    return int(row["value"])


def make_tables(database: Database, **about: str) -> None:
    """Make the tables of the present version in an empty database, with what is to be known about it."""
    with database.write() as connection:
        _run(connection, MIGRATIONS)
        pairs = {**about, "schema": str(VERSION)}
        connection.executemany("INSERT INTO about VALUES (?, ?)", list(pairs.items()))


def migrate(path: Path, before: int) -> Path:
    """Return where the database of an older version was kept, after a migrated copy has taken its place.

    The copy is migrated and checked beside the file; nothing is changed if that fails.

    Raises
    ------
    InputError
        If the database is of a newer program.
    """
    if before > VERSION:
        raise InputError(
            f"{path} was written by a newer Cellmetry (version {before} of its tables, this knows up to {VERSION}); "
            f"it is unchanged. Install the newer Cellmetry to open it."
        )
    kept = path.with_name(f"{path.stem}-before-version-{VERSION}{path.suffix}")
    with atomic_write(kept) as copy:
        _copy(path, copy)
    with atomic_write(path) as copy:
        _copy(path, copy)
        connection = sqlite3.connect(copy, isolation_level=None)
        try:
            connection.execute("BEGIN")
            _run(connection, MIGRATIONS[before:])
            connection.execute("UPDATE about SET value = ? WHERE key = 'schema'", (str(VERSION),))
            connection.execute("COMMIT")
        finally:
            connection.close()
    for left in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        left.unlink(missing_ok=True)
    return kept


def _copy(path: Path, copy: Path) -> None:
    """Copy a database with what is in its write-ahead log, in the journal mode of a single file."""
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    finally:
        target.close()
        source.close()


def _run(connection: sqlite3.Connection, scripts: Sequence[str]) -> None:
    """Run scripts statement by statement: `executescript` would end the transaction."""
    for script in scripts:
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                connection.execute(statement)
                statement = ""
