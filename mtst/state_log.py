"""What a host sees of runs: a line of JSON for each change of state."""

import hashlib
import json
import logging

LOG = logging.getLogger("mtst.runs")


def log_state(token: str, state: str, **more: object) -> None:
    """Log what became of a run, under a name that cannot be turned back into its token."""
    name = hashlib.sha256(token.encode()).hexdigest()[:12]
    LOG.info(json.dumps({"run": name, "state": state} | more))
