"""Check every installed package against the OSV database of known vulnerabilities.

python -m tests.support.audit    exits with 1 if there is one; with 0 if there is none or the database is unreachable
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SECONDS = 120


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        installed = subprocess.run(
            [sys.executable, "-m", "pip", "list", "--format=freeze"], capture_output=True, check=True
        )
        requirements.write_bytes(installed.stdout)
        audit = [sys.executable, "-m", "pip_audit", "-s", "osv", "-f", "json", "--no-deps", "--disable-pip", "-r"]
        try:
            output = subprocess.run([*audit, requirements], capture_output=True, timeout=SECONDS, check=False).stdout
        except subprocess.TimeoutExpired:
            output = b""
    vulnerable, message = parse_report(output)
    print(message)
    sys.exit(vulnerable)


def parse_report(output: bytes) -> tuple[bool, str]:
    """Return whether pip-audit's JSON output lists a vulnerability, and a message that names all of them."""
    try:
        packages = json.loads(output)["dependencies"]
    except ValueError:
        return False, "The packages were not audited: the OSV database is unreachable."
    vulnerabilities = [
        f"{package['name']} {package['version']}: {entry['id']}, fixed in {', '.join(entry['fix_versions']) or 'none'}"
        for package in packages
        for entry in package.get("vulns", ())
    ]
    skipped = sum("skip_reason" in package for package in packages)
    head = f"{len(packages) - skipped} packages audited, {len(vulnerabilities)} known vulnerabilities."
    return bool(vulnerabilities), "\n".join([head, *vulnerabilities])


if __name__ == "__main__":
    main()
