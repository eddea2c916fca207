"""Credentials in a plain form: where they stand, and how they are kept out of every text that leaves the scan."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

REDACTED = "[redacted]"
KNOWN_FROM = 6  # shorter secrets are redacted where they stand, but not searched for elsewhere
LONGEST = 300  # characters of a text in an inventory

T = TypeVar("T")

_WORD = (
    r"(?:pass(?:word|wd|phrase|code)|(?<![A-Za-z])(?:pass|pw)|pwd|secret|api[_-]?key"
    r"|(?:access|secret|private|auth|account)[_-]?key|token|credentials?|(?<![A-Za-z])auth)\d?"
)
_QUOTED = r"[rbuRBU]{0,2}(?:\"{3}|'{3}|\"|')(?P<secret>(?<=\")(?:[^\"\\\r\n]|\\.){3,}|(?<=')(?:[^'\\\r\n]|\\.){3,})"
NAMED = "value of a credential name"
_NAME = re.compile(rf"(?i)(?:{_WORD}|passwords|secrets|api[_-]?keys)$")
_PLACEHOLDER = re.compile(r"(?i)<.*>?|\[.*\]?|\{.*|\$.*|%.*%|your[_ -].*|x{3,}|\*+|\.{3,}|none|null|true|false")

# Every repetition is bounded, anchored or consumes what it has seen, so that no text makes a search quadratic.
_ANYWHERE = [
    (
        "private key",
        r"(?P<secret>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:[^-]|-(?!----)){0,8192}(?:-----END [A-Z ]{0,40}-----)?)",
    ),
    ("AWS access key", r"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16})\b"),
    ("GitHub token", r"\b(?P<secret>gh[pousr]_\w{30,}|github_pat_\w{22,})"),
    ("API key (sk-)", r"\b(?P<secret>sk-[\w-]{20,})"),
    ("OANDA token", r"\b(?P<secret>[0-9a-f]{32}-[0-9a-f]{32})\b"),
    ("password in a URL", r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,64}:(?P<secret>[^\s@\"'/<>]{3,})@"),
    (  # password = "…", "password": "…", password: str = "…", os.environ["PASSWORD"] = "…"
        NAMED,
        rf"(?i:{_WORD})[\"'\])]{{0,4}}\s{{0,20}}(?::\s{{0,20}}[\w\[\], |.]{{1,40}}?)?"
        rf"\s{{0,20}}(?:=|:)\s{{0,20}}{_QUOTED}",
    ),
    (  # os.getenv("PASSWORD", "…")
        NAMED,
        rf"(?:get|getenv|setdefault)\(\s*[\"'][\w.-]{{0,64}}?(?i:{_WORD})[\"']\s*,\s*{_QUOTED}",
    ),
]
_BARE = [  # PASSWORD=…, password: …, host=x;password=…
    (
        NAMED,
        rf"(?im)^[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+)?[\w.-]{{0,64}}?{_WORD}"
        r"[ \t]*[=:][ \t]*(?P<secret>[^\s\"'#,]{4,})[ \t]*(?:#.*)?\r?$",
    ),
    (NAMED, rf"(?i)(?:\b|_){_WORD}=(?P<secret>[^\s\"';&,()]{{4,}})"),
]
_COMPILED = {
    bare: [(kind, re.compile(expression)) for kind, expression in (_ANYWHERE + _BARE if bare else _ANYWHERE)]
    for bare in (False, True)
}

# What names a file, or was computed: a checksum list with a redacted path would verify nothing.
_VERBATIM = frozenset(
    {"path", "paths", "where", "opened_at", "file", "files", "sha256", "version", "versions"} | {"kind", "source"}
)


@dataclass(frozen=True)
class Finding:
    """A credential at an offset. The secret itself stays in memory and is used for redaction only."""

    kind: str
    offset: int
    secret: str


def find_credentials(text: str, *, bare: bool) -> Iterator[Finding]:
    """Yield what looks like a credential, each once; ``bare`` lets values without quotation marks count."""
    seen: set[tuple[str, int]] = set()
    for kind, expression in _COMPILED[bare]:
        for match in expression.finditer(text):
            found = Finding(kind, match.start("secret"), match["secret"])
            if not _PLACEHOLDER.fullmatch(found.secret) and (kind, found.offset) not in seen:
                seen.add((kind, found.offset))
                yield found


def names_credential(name: str) -> bool:
    """Tell whether a variable, key or flag of that name holds a credential."""
    return _NAME.search(name) is not None


def is_credential(name: str, value: object) -> bool:
    """Tell whether a value under a name is a credential, and not ``<token>`` or ``${TOKEN}`` yet to be filled in."""
    return names_credential(name) and isinstance(value, str) and bool(value) and not _PLACEHOLDER.fullmatch(value)


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return a function that takes known secrets, and whatever looks like one, out of a text."""
    known = sorted({secret for secret in secrets if len(secret) >= KNOWN_FROM}, key=len, reverse=True)
    expression = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(text: str) -> str:
        text = expression.sub(REDACTED, text) if expression else text
        return _without_patterns(text)

    return redact


def redacted(value: T, redact: Callable[[str], str]) -> T:
    """Return a copy in which every text is redacted, cut to length and valid Unicode, but for paths, places and hashes.

    Parameters
    ----------
    value : dataclass instance
        A frozen dataclass of texts, numbers, tuples, mappings and further dataclasses.
    redact : callable
        Takes the credentials out of a text.
    """
    return _clean(value, lambda text: _short(redact(text)))  # type: ignore[no-any-return]


def _without_patterns(text: str) -> str:
    pieces, start = [], 0
    for found in sorted(find_credentials(text, bare=True), key=lambda found: (found.offset, len(found.secret))):
        end = found.offset + len(found.secret)
        if end > start:
            pieces += [text[start : max(found.offset, start)], REDACTED]
            start = end
    return "".join(pieces) + text[start:]


def _short(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _clean(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple):
        return tuple(_clean(item, clean) for item in value)
    if isinstance(value, dict):
        return {clean(key): _clean(item, clean) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.name not in _VERBATIM]
        return dataclasses.replace(value, **{name: _clean(getattr(value, name), clean) for name in names})
    return value
