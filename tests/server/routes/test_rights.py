"""What an editor may take back of a study's history, on a server with accounts."""

from __future__ import annotations

from cellmetry.server.security.accounts import Accounts

PASSWORD = "correct horse battery"


def test_an_editor_takes_back_edits_and_own_acts_but_no_acts_of_owners(serving, tools, tmp_path):
    home = tmp_path / "home"
    accounts = Accounts(home)
    for name in ("mira", "nils", "otto"):
        accounts.add(name, PASSWORD)
    accounts.close()
    with serving.real_server(home, "--mode", "server") as server:
        mira, nils, otto = (server.client() for _ in range(3))
        for name, client in (("mira", mira), ("nils", nils), ("otto", otto)):
            assert client.post("session", json={"name": name, "password": PASSWORD}).status_code == 200
        study = tools.new_study(mira)
        url = f"studies/{study}"
        for name, role in (("nils", "editor"), ("otto", "viewer")):
            assert mira.put(f"{url}/members/{name}", json={"role": role}).status_code == 200
        files = [("files", ("a.tif", tools.tiff(tools.squares((90, 90)))))]
        image = mira.post(f"{url}/images", files=files).json()[0]["id"]
        added = mira.get(f"{url}/acts").json()[0]["seq"]
        refused = nils.post(f"{url}/acts/{added}/undo")
        assert (refused.status_code, refused.json()["error"]["kind"]) == (403, "NotAllowed")
        own = nils.patch(f"{url}/images", json={"images": [image], "values": {"condition": "a"}}).json()["act"]
        assert nils.post(f"{url}/acts/{own}/undo").status_code == 200
        labels = tools.put_labels(tools.folder_of(server, mira, study), image, tools.squares((90, 90)))
        edit = {"operation": "delete", "parameters": {"ids": [1]}}
        made = mira.post(f"{url}/labels/{labels}/edits", json=edit).json()["act"]
        assert nils.post(f"{url}/acts/{made}/undo").status_code == 200
        for answer in (
            otto.post(f"{url}/labels/{labels}/edits", json=edit),
            otto.post(f"{url}/acts/{made}/redo"),
            otto.patch(url, json={"name": "x"}),
            otto.delete(f"{url}/labels/{labels}"),
            otto.post(f"{url}/images", files=files),
            otto.post(f"{url}/images/register", json={"paths": ["/"]}),
        ):
            assert answer.status_code == 403, answer.text
        assert otto.get(f"{url}/labels/{labels}/tiles/0/0/0/0/0").status_code == 200
        assert mira.delete(f"{url}/members/otto").status_code == 204
        assert otto.get(f"{url}/labels/{labels}/tiles/0/0/0/0/0").status_code == 404
