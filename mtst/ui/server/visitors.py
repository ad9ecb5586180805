"""Who asks, for the limits of a visitor: a name made of their address that nobody can read back."""

import hashlib
import ipaddress
import secrets

import gradio as gr

_SALT = secrets.token_bytes(16)
OWN_BITS = 64  # of an IPv6 address: a connection has all addresses that begin with them


def visitor_id(request: gr.Request | None) -> str:
    """Return the same name for all that comes from one address while this app runs; none where there is none."""
    host = request.client.host if request and request.client else ""
    return hashlib.sha256(_SALT + _line(host).encode()).hexdigest()[:16] if host else ""


def _line(host: str) -> str:
    """Return what stands for all addresses that one connection has: IPv4's one, or the network of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), OWN_BITS), strict=False))
