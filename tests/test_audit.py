import json

from tests.support.audit import parse_report

SAFE = {"name": "torch", "version": "2.13.0", "vulns": []}
VULNERABLE = {"name": "old", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}


def report(*packages):
    return json.dumps({"dependencies": list(packages), "fixes": []}).encode()


def test_a_known_vulnerability_fails_the_audit_and_is_named():
    vulnerable, message = parse_report(report(SAFE, VULNERABLE))
    assert vulnerable
    assert message.splitlines() == ["2 packages audited, 1 known vulnerabilities.", "old 1.0: PYSEC-1, fixed in 1.1"]


def test_safe_packages_pass_and_unknown_ones_are_not_counted():
    assert parse_report(report(SAFE, {"name": "own", "skip_reason": "not found"})) == (
        False,
        "1 packages audited, 0 known vulnerabilities.",
    )


def test_the_audit_passes_without_network_and_says_so():
    for output in (b"", b"Traceback (most recent call last)"):
        vulnerable, message = parse_report(output)
        assert not vulnerable
        assert "not audited" in message
