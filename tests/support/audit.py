"""Ask the database of known vulnerabilities about every package of this environment.

python -m tests.support.audit    code 1 if something is known; 0 if nothing is, or if the database cannot be reached from here
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 120


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        packages = Path(folder) / "packages.txt"
        listed = subprocess.run(
            [sys.executable, "-m", "pip", "list", "--format=freeze"], capture_output=True, check=True
        )
        packages.write_bytes(listed.stdout)
        audit = [sys.executable, "-m", "pip_audit", "-s", "osv", "-f", "json", "--no-deps", "--disable-pip", "-r"]
        try:
            answer = subprocess.run([*audit, packages], capture_output=True, timeout=SECONDS, check=False).stdout
        except subprocess.TimeoutExpired:
            answer = b""
    known, message = verdict(answer)
    print(message)
    sys.exit(known)


def verdict(answer: bytes) -> tuple[bool, str]:
    """Return whether something is known, and what, from what pip-audit prints."""
    try:
        asked = json.loads(answer)["dependencies"]
    except ValueError:
        return False, "The packages were not audited: the database of vulnerabilities cannot be reached from here."
    found = [
        f"{package['name']} {package['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none'}"
        for package in asked
        for each in package.get("vulns", ())
    ]
    left_out = sum("skip_reason" in package for package in asked)
    head = f"{len(asked) - left_out} packages audited, {len(found)} known vulnerabilities."
    return bool(found), "\n".join([head, *found])


if __name__ == "__main__":
    main()
