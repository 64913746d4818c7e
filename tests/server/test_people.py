"""A server with accounts: sign in, tokens, roles in studies, ends of sessions; another's study is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cellmetry.server.security.accounts import Accounts
from cellmetry.study.store.acts import Actor
from cellmetry.study.store.jobs import add_job, set_state
from cellmetry.study.store.store import join_store

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def group(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with mira, nils and ada, who is administrator."""
    home = tmp_path_factory.mktemp("group") / "home"
    accounts = Accounts(home)
    for name in ("mira", "nils", "ada", "otto", "gone", "leaver", "demoted"):
        accounts.add(name, PASSWORD, admin=name == "ada")
    with serving.real_server(home, "--mode", "server", "--host", "0.0.0.0", "--name", "Lab.Example.org") as server:
        yield server, accounts
    accounts.close()


def signed_in(group: Any, name: str) -> httpx.Client:
    client = group[0].client()
    answer = client.post("session", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"who": name, "signed_in": True, "admin": name == "ada", "mode": "server"}
    return client


def test_nobody_is_let_in_without_a_password(group: Any) -> None:
    client = group[0].client()
    assert client.get("studies").status_code == 401
    assert client.get(f"{group[0].url}/").status_code == 401
    assert "<form" in client.get(f"{group[0].url}/").text
    for body in ({}, {"name": "mira"}, {"name": "mira", "password": "x"}, {"name": "nobody", "password": PASSWORD}):
        answer = client.post("session", json=body)
        assert answer.status_code == 401
        assert answer.json()["error"]["message"] == "The name or the password is wrong."
    assert client.get("studies").status_code == 401
    assert client.post("session/link").status_code == 401


def test_it_goes_by_its_name_and_addresses(group: Any) -> None:
    client = group[0].client()
    for host, status in (("lab.example.org", 200), ("192.168.1.5:8000", 200), ("evil.example", 421)):
        assert client.get("health", headers={"Host": host}).status_code == status
    named = {"Host": "lab.example.org", "Origin": "https://lab.example.org"}
    assert client.post("session", json={}, headers=named).status_code == 401
    inner = {"Host": "127.0.0.1:8765", "Origin": "https://lab.example.org"}  # of a proxy that writes its own Host
    assert client.post("session", json={}, headers=inner).status_code == 401
    foreign = {"Host": "lab.example.org", "Origin": "https://evil.example"}
    assert client.post("session", json={}, headers=foreign).status_code == 403


def test_a_study_is_there_for_its_members_only(group: Any) -> None:
    mira, nils, ada = (signed_in(group, name) for name in ("mira", "nils", "ada"))
    study = mira.post("studies", json={"name": "edu"}).json()["id"]
    path, members = f"studies/{study}", f"studies/{study}/members"
    assert study not in [each["id"] for each in nils.get("studies").json()]
    unknown = nils.get("studies/study_0000000000000000")
    hidden = nils.get(path)
    assert unknown.status_code == hidden.status_code == 404
    assert (
        hidden.json()["error"]["message"].replace(study, "study_0000000000000000") == unknown.json()["error"]["message"]
    )
    assert nils.get(members).status_code == 404
    assert ada.get(path).status_code == 200
    for role in ("viewer", "editor"):
        assert mira.put(f"{members}/nils", json={"role": role}).status_code == 200
        assert nils.get(path).status_code == 200
        assert nils.get(members).status_code == 403
        assert nils.put(f"{members}/nils", json={"role": "owner"}).status_code == 403
    assert mira.get(members).json() == [{"who": "mira", "role": "owner"}, {"who": "nils", "role": "editor"}]
    assert mira.delete(f"{members}/mira").status_code == 422
    assert mira.put(f"{members}/mira", json={"role": "viewer"}).status_code == 422
    assert mira.put(f"{members}/nobody", json={"role": "viewer"}).status_code == 404
    assert mira.put(f"{members}/nils", json={"role": "king"}).status_code == 422
    assert mira.delete(f"{members}/nils").status_code == 204
    assert nils.get(path).status_code == 404


def test_a_token_lets_a_program_in_until_it_is_ended(group: Any) -> None:
    server, _ = group
    mira = signed_in(group, "mira")
    made = mira.post("session/tokens", json={"name": "script"}).json()
    program = server.client(token=made["token"])
    assert program.get("session").json()["who"] == "mira"
    assert program.get("studies").status_code == 200
    assert program.post("session/tokens", json={"name": "more"}).status_code == 403
    listed = mira.get("session/tokens").json()
    assert [each["name"] for each in listed] == ["script"]
    assert "token" not in listed[0]
    assert signed_in(group, "nils").delete(f"session/tokens/{made['id']}").status_code == 404
    assert mira.delete(f"session/tokens/{made['id']}").status_code == 204
    assert program.get("studies").status_code == 401


def test_a_session_ends_with_signing_out_and_with_the_account(group: Any) -> None:
    _, accounts = group
    client = signed_in(group, "gone")
    kept = dict(client.cookies)
    assert client.delete("session").status_code == 204
    assert httpx.get(str(client.base_url) + "studies", cookies=kept).status_code == 401
    again = signed_in(group, "gone")
    accounts.remove("gone")
    assert again.get("studies").status_code == 401


@pytest.mark.parametrize("name", ["leaver", "demoted"])
def test_who_may_not_see_a_study_any_more_hears_no_more_of_it(group: Any, name: str) -> None:
    server, accounts = group
    ada, watcher = signed_in(group, "ada"), signed_in(group, name)
    study = ada.post("studies", json={"name": f"secret {name}"}).json()["id"]
    assert ada.put(f"studies/{study}/members/{name}", json={"role": "viewer"}).status_code == 200
    store = join_store(server.home / f"secret-{name}.cellmetry")
    with store.database.write():  # the server's runner does not see it waiting
        job = add_job(store, Actor("ada", "cli"), "read", {"images": []})
        set_state(store, job, "running")
    with (
        watcher.stream("GET", f"studies/{study}/events") as acts,
        watcher.stream("GET", f"studies/{study}/jobs/{job}/events") as events,
    ):
        heard = acts.iter_lines(), events.iter_lines()
        assert [next(each) for each in heard] == [": following", "retry: 2000"]
        if name == "leaver":
            accounts.remove(name)
        else:
            assert ada.delete(f"studies/{study}/members/{name}").status_code == 204
        for each in heard:
            assert all("still here" not in line for line in each)  # it ends before it would say that
    set_state(store, job, "done")
    store.database.close()


def test_passwords_cannot_be_guessed_quickly(group: Any) -> None:
    client = group[0].client()
    answers = [client.post("session", json={"name": "otto", "password": f"guess {i}"}) for i in range(7)]
    assert [each.status_code for each in answers] == [401] * 5 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    right = client.post("session", json={"name": "otto", "password": PASSWORD})
    assert right.status_code == 429
    assert signed_in(group, "nils").get("session").json()["who"] == "nils"
