"""Why a signature does not fit: whether it would, if the mapping said something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from shipclock.sources import Headers, NotAuthentic
from shipclock.sources.mapped.proof import ALGORITHMS, ENCODINGS, KEYS, Hmac
from shipclock.sources.mapped.spec import Spec

SIGNED = ("{body}", "{timestamp}.{body}", "{timestamp}{body}", "{body}{timestamp}")
"""What senders sign most."""

BARE = "{signature}"


@dataclass(frozen=True, slots=True)
class Request:
    """What came, and the secret that it should be proven by. `stamp` is its time of sending."""

    name: str
    headers: Headers
    body: bytes
    secret: str
    stamp: str

    def value(self, proof: Hmac) -> str:
        """The header's value by a proof; empty where there can be none."""
        if "{timestamp}" in proof.signed and not self.stamp:
            return ""
        try:
            text = proof.text(self.headers, self.body, self.stamp)
            return proof.sign(self.name, self.secret, text, self.stamp)
        except (NotAuthentic, ValueError):  # a header lacks, or the secret is not written so
            return ""


def misses(spec: Spec, headers: Headers, body: bytes, secret: str) -> list[str]:
    """What would have to be otherwise for a signature to fit, in words that show no secret.

    Nothing where no guess fits: then the secret or the body is another, as it is where a body was
    formatted anew before it was saved.
    """
    proof = spec.proof
    if not isinstance(proof, Hmac):
        return []
    try:
        stamp = proof.stamp_of(headers, headers.get(proof.header, ""))
    except NotAuthentic:
        stamp = ""
    for guess, (why, changed) in product(list(_guesses(proof)), _bodies(body).items()):
        request = Request(spec.name, headers, changed, secret, stamp)
        signature = request.value(replace(guess, value=BARE))
        for header, given in headers.items():
            if signature and signature in given:
                written = given == request.value(guess)
                return _differences(proof, guess, header, why, written)
    return []


def _guesses(proof: Hmac) -> Iterator[Hmac]:
    """Other proofs, those that differ least first."""
    for signed, key, algorithm, encoding in product(
        dict.fromkeys((proof.signed, *SIGNED)),
        dict.fromkeys((proof.key, *KEYS)),
        dict.fromkeys((proof.algorithm, *ALGORITHMS)),
        dict.fromkeys((proof.encoding, *ENCODINGS)),
    ):
        yield replace(proof, signed=signed, key=key, algorithm=algorithm, encoding=encoding)


def _bodies(body: bytes) -> dict[str, bytes]:
    """The body, and without the line break that editors put at a file's end."""
    bare = body.rstrip(b"\r\n")
    return {"": body} | ({"the last line break of the file is left out": bare} if bare else {})


def _differences(proof: Hmac, guess: Hmac, header: str, why: str, written: bool) -> list[str]:
    """What a guess that fits has otherwise."""
    found = [
        f'the signature fits with {key} = "{getattr(guess, key)}"'
        for key in ("signed", "key", "algorithm", "encoding")
        if getattr(proof, key) != getattr(guess, key)
    ]
    if header != proof.header:
        found.append(f"the signature stands in the header {header}")
    if why:
        found.append(f"the signature fits when {why}")
    if not written:
        found.append(f'the header is not written as value = "{proof.value}"')
    return found or ["the signature itself fits"]
