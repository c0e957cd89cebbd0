"""Addresses that an answer names: which of them are fetched."""

from urllib.parse import urlsplit


def may_fetch(url: str, api: str) -> bool:
    """Whether a file may be fetched from there: over https from a host that has a name, or from
    the marketplace's own address (`api`), which for a sandbox is neither.

    An answer must not send us to what only this machine can reach, such as Lambda's own interface.
    """
    try:
        parts, ours = urlsplit(url), urlsplit(api)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc):
        return True
    named = "." in host and not host.rpartition(".")[2].isdigit() and ":" not in host
    return parts.scheme == "https" and named and port in (None, 443) and "@" not in parts.netloc
