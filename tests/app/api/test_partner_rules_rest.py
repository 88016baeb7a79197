"""Rules of partners, for programs."""

import pytest

PATH = "/api/v1/partners/globex/rules"
BODY = {
    "name": "mine", "kind": "threshold", "measure": "error_ratio", "above": 0.02, "window": "15m",
    "to": ["dev@globex.example"],
}  # fmt: skip


def send(world, method: str, path: str, role: str, **options):
    return world.app.test_client().open(path, method=method, headers=world.bearer(role), **options)


def test_a_partner_saves_reads_and_removes_its_rules_and_another_finds_nothing(world):
    made = send(world, "POST", PATH, "globex", json=BODY)
    assert (made.status_code, made.json["to"]) == (201, ["dev@globex.example"])
    assert "above: 0.02" in made.json["text"]
    for role in ("globex", "ecosystem"):
        assert [each["name"] for each in send(world, "GET", PATH, role).json["items"]] == ["mine"]
    for role in ("initech", "builder"):
        never = PATH.replace("globex", "never")
        for method, more in (("GET", ""), ("POST", ""), ("DELETE", "/mine")):
            body = BODY if method == "POST" else None
            theirs = send(world, method, PATH + more, role, json=body)
            nobodys = send(world, method, never + more, role, json=body)
            assert theirs.status_code == nobodys.status_code == 404
            assert theirs.text.replace("globex", "never") == nobodys.text
    assert send(world, "DELETE", f"{PATH}/mine", "globex").status_code == 204
    assert send(world, "DELETE", f"{PATH}/mine", "globex").status_code == 404
    assert send(world, "GET", PATH, "globex").json["items"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "tresholt"}, {"to": []}, {"to": ["eve@evil.example"]}, {"to": None},
        {"severity": "P1"}, {"only": {"partners": ["initech"]}}, {"above": float("nan")},
        {"above": 10**400}, {"name": "a\x00b"}, {"name": "\ud800"}, {"measure": ["bad"]},
        {"overrides": [[[[[[]]]]]]}, {"unknown": 1},
    ],
)  # fmt: skip
def test_a_rule_that_is_none_is_refused(world, change):
    answer = send(world, "POST", PATH, "globex", json=BODY | change)
    assert answer.status_code == 422, answer.text


def test_a_partner_finds_no_rule_of_the_house(world):
    assert send(world, "GET", "/api/v1/rules", "globex").status_code == 404
    assert send(world, "POST", "/api/v1/rules", "globex", json=BODY).status_code in (404, 422)
