"""Members of a study, on a server with accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cellmetry.server.security.accounts import Accounts

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"


def test_somebody_is_invited_given_another_role_and_removed(serving: Any, browser: Any, tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "home")
    for name in ("mira", "nils"):
        accounts.add(name, PASSWORD)
    accounts.close()
    with serving.real_server(tmp_path / "home", "--mode", "server") as server:
        page = browser.new_context().new_page()
        page.goto(server.url)
        page.get_by_label("Name").fill("mira")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="New study").wait_for()
        mira, nils = server.client(token=""), server.client(token="")
        for name, client in (("mira", mira), ("nils", nils)):
            assert client.post("session", json={"name": name, "password": PASSWORD}).status_code == 200
        study = mira.post("studies", json={"name": "Ours"}).json()["id"]
        page.evaluate("study => cellmetry.place.go(study, 'images')", study)
        page.get_by_role("button", name="Ours", exact=True).wait_for()
        page.get_by_role("button", name="Settings").click()
        page.get_by_role("menuitem", name="Members of this study").click()
        dialog = page.get_by_role("dialog", name="Members of this study")
        dialog.get_by_label("Name of the account").fill("otto")
        dialog.get_by_role("button", name="Invite").click()
        dialog.get_by_role("alert").get_by_text("otto").wait_for()
        dialog.get_by_label("Name of the account").fill("nils")
        dialog.get_by_role("button", name="Invite").click()
        dialog.get_by_label("Role of nils").wait_for()
        assert nils.get(f"studies/{study}").json()["role"] == "editor"
        dialog.get_by_label("Role of nils").select_option("viewer")
        dialog.get_by_role("button", name="Remove mira").click()
        dialog.get_by_role("alert").get_by_text("only owner").wait_for()
        assert nils.get(f"studies/{study}").json()["role"] == "viewer"
        dialog.get_by_role("button", name="Remove nils").click()
        dialog.get_by_label("Role of nils").wait_for(state="detached")
        assert nils.get(f"studies/{study}").status_code == 404
        page.context.close()
