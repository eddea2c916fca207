"""Credentials in a plain form: where they stand, and how they are kept out of every text that leaves the scan."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator
from typing import Any

from golden_core.legacy.facts.syntax import Key, spell

REDACTED = "[redacted]"
KNOWN_FROM = 6  # shorter secrets are redacted where they stand, but not searched for elsewhere
LONGEST = 300  # characters of a text in an inventory
NAMED = "value of a credential name"

_WORD = (
    r"(?:pass(?:word|wd|phrase|code)|(?<![A-Za-z])(?:pass|pw)|pwd|secret|api[_-]?key"
    r"|(?:access|secret|private|auth|account)[_-]?key|token|credentials?|(?<![A-Za-z])auth)\d?"
)
_NAME = re.compile(rf"(?i)(?:{_WORD}|passwords|secrets|api[_-]?keys)$")
_PLACEHOLDER = re.compile(r"(?i)<.*>?|\[.*\]?|\{.*|\$.*|%.*%|your[_ -].*|x{3,}|\*+|\.{3,}|none|null|true|false")
_QUOTED = r"[rbuRBU]{0,2}(?P<quote>\"{3}|'{3}|\"|')(?P<secret>(?:(?!(?P=quote))[^\\\r\n]|\\.){3,300})"
_PATTERNS = (
    ("private key", r"(?P<secret>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,8192})"),
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
)
_BARE = (  # PASSWORD=…, password: …, host=x;password=…; code has such lines without a secret in them
    (
        NAMED,
        rf"(?im)^[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+)?[\w.-]{{0,64}}?{_WORD}"
        r"[ \t]*[=:][ \t]*(?P<secret>[^\s\"'#,]{4,})[ \t]*(?:#.*)?\r?$",
    ),
    (NAMED, rf"(?i)(?:\b|_){_WORD}=(?P<secret>[^\s\"';&,()]{{4,}})"),
)
_COMPILED = {bare: [(kind, re.compile(text)) for kind, text in _PATTERNS + _BARE * bare] for bare in (False, True)}

# What names a file, or was computed: a checksum list with a redacted path would verify nothing.
_VERBATIM = frozenset({"path", "where", "opened_at", "file", "sha256", "version", "versions", "kind", "source"})


def find_credentials(text: str, *, bare: bool) -> Iterator[tuple[str, int, str]]:
    """Yield kind, offset and secret of what looks like a credential, each once; the secret only serves to redact.

    ``bare`` lets values without quotation marks count.
    """
    seen: set[int] = set()
    for kind, expression in _COMPILED[bare]:
        for match in expression.finditer(text):
            if not _PLACEHOLDER.fullmatch(match["secret"]) and match.start("secret") not in seen:
                seen.add(match.start("secret"))
                yield kind, match.start("secret"), match["secret"]


def names_credential(name: str) -> bool:
    """Tell whether a variable, key or flag of that name holds a credential."""
    return _NAME.search(name) is not None


def is_credential(name: str, value: object) -> bool:
    """Tell whether a value under a name is a credential, and not ``<token>`` or ``${TOKEN}`` yet to be filled in."""
    return names_credential(name) and isinstance(value, str) and bool(value) and not _PLACEHOLDER.fullmatch(value)


def spell_setting(key: Key, value: Any) -> str:
    """Return a value as JSON text, or a mark in place of one that stands under the name of a credential."""
    hidden = any(map(names_credential, key)) and value is not None and not isinstance(value, bool)
    return REDACTED if hidden else spell(value)


def redacted(value: Any, secrets: Collection[str]) -> Any:
    """Return a copy of a dataclass, mapping, tuple or text without the secrets in its texts.

    Texts are cut to length, and what is no valid Unicode is spelled out; paths, places and hashes stay as they are.
    """
    if isinstance(value, str):
        for secret in sorted(secrets, key=len, reverse=True):
            value = value.replace(secret, REDACTED) if len(secret) >= KNOWN_FROM else value
        for _, _, secret in [*find_credentials(value, bare=True)]:
            value = value.replace(secret, REDACTED)
        value = value.encode("utf-8", "backslashreplace").decode()
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}… ({len(value)} characters)"
    if isinstance(value, tuple):
        return tuple(redacted(item, secrets) for item in value)
    if isinstance(value, dict):
        return {redacted(key, secrets): redacted(item, secrets) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.name not in _VERBATIM]
        return dataclasses.replace(value, **{name: redacted(getattr(value, name), secrets) for name in names})
    return value
