"""An identifier for each visitor, for limits per visitor: a salted hash of their address."""

import hashlib
import ipaddress
import secrets

import gradio as gr

_SALT = secrets.token_bytes(16)
IPV6_PREFIX = 64  # bits of an IPv6 address that identify a connection, which has all addresses with that prefix


def visitor_id(request: gr.Request | None) -> str:
    """Return the identifier of a request's address, stable while this app runs; empty if there is no address."""
    host = request.client.host if request and request.client else ""
    return hashlib.sha256(_SALT + _connection(host).encode()).hexdigest()[:16] if host else ""


def _connection(host: str) -> str:
    """Return what all addresses of one connection share: an IPv4 address, or the network of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))
