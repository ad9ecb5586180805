import json

from tests.support.audit import verdict


def answer(*packages):
    return json.dumps({"dependencies": list(packages), "fixes": []}).encode()


SOUND = {"name": "torch", "version": "2.13.0", "vulns": []}
UNSOUND = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


def test_a_known_vulnerability_fails_the_audit_and_is_named():
    known, message = verdict(answer(SOUND, UNSOUND))
    assert known
    assert message.splitlines() == [
        "2 packages audited, 1 known vulnerabilities.",
        "old 1.0: PYSEC-1, mended in 1.1",
    ]


def test_sound_packages_pass_and_those_that_nobody_knows_are_not_counted():
    assert verdict(answer(SOUND, {"name": "own", "skip_reason": "not found"})) == (
        False,
        "1 packages audited, 0 known vulnerabilities.",
    )


def test_without_network_the_audit_says_so_and_does_not_fail():
    for nothing in (b"", b"Traceback (most recent call last)"):
        known, message = verdict(nothing)
        assert not known
        assert "not audited" in message
