"""Who asks, for the limits of a visitor: a name made of their address that nobody can read back."""

import hashlib
import secrets

import gradio as gr

_SALT = secrets.token_bytes(16)


def visitor(request: gr.Request | None) -> str:
    """Return the same name for all that comes from one address while this app runs; none where there is none."""
    host = request.client.host if request and request.client else ""
    return hashlib.sha256(_SALT + host.encode()).hexdigest()[:16] if host else ""
