"""Sessions of browsers on a laptop: kept as hashes for the owner's eyes, and not believed where others could write."""

from __future__ import annotations

import json
import os
import time

import pytest

from cellmetry.server.security.browser_sessions import SESSIONS_FILE, BrowserSessions
from cellmetry.server.security.tokens import hash_of


def test_a_session_is_known_after_a_restart_until_it_ends(tmp_path):
    secret = BrowserSessions(tmp_path).open()
    again = BrowserSessions(tmp_path)
    assert secret in again
    assert secret not in (tmp_path / SESSIONS_FILE).read_text()
    again.end(hash_of(secret))
    assert secret not in again
    assert secret not in BrowserSessions(tmp_path)


def test_no_hash_and_no_empty_cookie_lets_in(tmp_path):
    sessions = BrowserSessions(tmp_path)
    secret = sessions.open()
    assert hash_of(secret) not in sessions
    assert "" not in sessions


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_a_file_that_others_could_write_is_not_believed(tmp_path):
    secret = BrowserSessions(tmp_path).open()
    file = tmp_path / SESSIONS_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o660)
    assert secret not in BrowserSessions(tmp_path)
    file.chmod(0o600)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert secret not in BrowserSessions(tmp_path)


@pytest.mark.parametrize("said", ["", "[]", "{", '{"a": "b"}', "7"])
def test_a_damaged_file_knows_nobody(tmp_path, said):
    (tmp_path / SESSIONS_FILE).write_text(said)
    (tmp_path / SESSIONS_FILE).chmod(0o600)
    sessions = BrowserSessions(tmp_path)
    assert "a" not in sessions
    assert sessions.open() in sessions


def test_old_sessions_and_too_many_are_forgotten(tmp_path):
    file = tmp_path / SESSIONS_FILE
    file.write_text(json.dumps({hash_of("old"): time.time() - 31 * 86_400, hash_of("new"): time.time() - 60}))
    file.chmod(0o600)
    sessions = BrowserSessions(tmp_path)
    assert "old" not in sessions
    assert "new" in sessions
    for _ in range(100):
        sessions.open()
    assert "new" not in sessions
    assert len(json.loads(file.read_text())) == 100


def test_what_ended_stays_ended_and_nothing_is_lost_where_two_servers_share_a_home(tmp_path):
    one = BrowserSessions(tmp_path)
    ended, lasting = one.open(), one.open()
    two = BrowserSessions(tmp_path)
    one.end(hash_of(ended))
    mine = two.open()
    assert ended not in two
    theirs = one.open()
    again = BrowserSessions(tmp_path)
    assert [secret in again for secret in (ended, lasting, mine, theirs)] == [False, True, True, True]


def test_sessions_age_while_the_server_runs(tmp_path, monkeypatch):
    sessions = BrowserSessions(tmp_path)
    secret = sessions.open()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 29 * 86_400)
    assert secret in sessions
    monkeypatch.setattr(time, "time", lambda: now + 31 * 86_400)
    assert secret not in sessions


def test_a_home_that_cannot_be_written_lets_in_until_the_restart(tmp_path):
    (tmp_path / "file").touch()
    sessions = BrowserSessions(tmp_path / "file" / "home")
    assert sessions.open() in sessions
