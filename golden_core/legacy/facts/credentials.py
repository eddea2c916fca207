"""Credentials by pattern: where they stand, and how they are kept out of every text that leaves the scan."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from golden_core.legacy.facts.credential_patterns import ANYWHERE, BARE, NAME, PLACEHOLDER

REDACTED = "[redacted]"
SHORTEST = len("pwd=abcd")  # no shorter text holds both a name and a credential
KNOWN_FROM = 6  # shorter secrets are redacted where they stand, but not searched for elsewhere


@dataclass(frozen=True)
class Finding:
    """A credential at an offset. The secret itself stays in memory and is used for redaction only."""

    kind: str
    offset: int
    secret: bytes


def find_credentials(block: bytes, *, bare: bool) -> Iterator[Finding]:
    """Yield what looks like a credential.

    Parameters
    ----------
    block : bytes
        Text, whole lines where possible.
    bare : bool
        Whether values without quotation marks count (``password=…``).
    """
    if len(block) < SHORTEST:
        return
    lower = block.lower()
    for pattern in ANYWHERE + BARE if bare else ANYWHERE:
        if any(hint in lower for hint in pattern.hints):
            for match in pattern.expression.finditer(block):
                if not PLACEHOLDER.fullmatch(match["secret"]):  # a template, not a secret
                    yield Finding(pattern.kind, match.start("secret"), match["secret"])


def names_credential(name: str) -> bool:
    """Tell whether a variable, key or flag of that name holds a credential."""
    return NAME.search(name.encode("utf-8", "replace")) is not None


def is_placeholder(value: str) -> bool:
    """Tell whether a value stands for a credential yet to be filled in: ``<token>``, ``${TOKEN}``."""
    return PLACEHOLDER.fullmatch(value.encode("utf-8", "replace")) is not None


def redactor(secrets: Iterable[bytes]) -> Callable[[str], str]:
    """Return a function that takes known secrets, and whatever looks like one, out of a text.

    Parameters
    ----------
    secrets : iterable of bytes
        What :func:`find_credentials` found anywhere in the tree.
    """
    known: defaultdict[str, set[str]] = defaultdict(set)
    for secret in _spellings(secrets):
        if len(secret) >= KNOWN_FROM:
            known[secret[:KNOWN_FROM]].add(secret)

    def redact(text: str) -> str:
        return _without_patterns(_without_known(text, known))

    return redact


def _spellings(secrets: Iterable[bytes]) -> Iterator[str]:
    for secret in secrets:
        text = secret.decode("utf-8", "replace")
        yield text
        if "\\" in text:  # as the language reads it
            yield re.sub(r"\\(.)", r"\1", text)


def _without_known(text: str, known: defaultdict[str, set[str]]) -> str:
    """Look at each position once, however many secrets there are."""
    pieces, start, position = [], 0, 0
    while known and position <= len(text) - KNOWN_FROM:
        candidates = known.get(text[position : position + KNOWN_FROM], ())
        longest = max((len(secret) for secret in candidates if text.startswith(secret, position)), default=0)
        if longest:
            pieces += [text[start:position], REDACTED]
            start = position + longest
        position += longest or 1
    return "".join(pieces) + text[start:] if pieces else text


def _without_patterns(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    spans = sorted((found.offset, found.offset + len(found.secret)) for found in find_credentials(data, bare=True))
    pieces, start = [], 0
    for begin, end in spans:
        if end > start:
            pieces += [data[start : max(begin, start)], REDACTED.encode()]
            start = end
    return (b"".join(pieces) + data[start:]).decode("utf-8", "surrogatepass") if pieces else text
