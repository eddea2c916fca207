"""What credentials look like: one regular expression per kind. Finding and redacting is in credentials.py.

Every repetition is bounded, anchored or consumes what it has seen, so that no text makes a search quadratic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """One kind of credential: bytes with a group ``secret``.

    ``hints`` are lower-case bytes without one of which the expression cannot match.
    """

    kind: str
    hints: tuple[bytes, ...]
    expression: re.Pattern[bytes]


def _pattern(kind: str, hints: tuple[bytes, ...], *parts: bytes) -> Pattern:
    return Pattern(kind, hints, re.compile(b"".join(parts)))


_WORD = (
    rb"(?:pass(?:word|wd|phrase|code)|(?<![A-Za-z])(?:pass|pw)|pwd|secret|api[_-]?key"
    rb"|(?:access|secret|private|auth|account)[_-]?key|token|credentials?|(?<![A-Za-z])auth)\d?"
)
_WORD_HINTS = (b"pass", b"pw", b"secret", b"key", b"token", b"credential", b"auth")
_OPENING = rb"[rbuRBU]{0,2}\\?(?:\"{3}|'{3}|\"|')"
_QUOTED = _OPENING + rb"(?P<secret>(?<=\")(?:[^\"\\\r\n]|\\.){3,}|(?<=')(?:[^'\\\r\n]|\\.){3,})"
_ANNOTATION = rb"(?::\s{0,20}[\w\[\], |.]{1,40}?)?"
_UNGUESSABLE = (
    rb"(?P<secret>(?=[A-Za-z+/]{0,60}[0-9])(?=[0-9+/]{0,60}[A-Za-z])[A-Za-z0-9+/]{20,}={0,2}"
    rb"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
_NAMED = "value of a credential name"

ANYWHERE = (
    _pattern(
        "private key",
        (b"private key",),
        rb"(?P<secret>-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----",
        rb"(?:[^-]|-(?!----)){0,8192}(?:-----END [A-Z ]{0,40}-----)?)",
    ),
    _pattern("AWS access key", (b"akia", b"asia"), rb"\b(?P<secret>(?:AKIA|ASIA)[0-9A-Z]{16})\b"),
    _pattern("GitHub token", (b"gh", b"github_pat_"), rb"\b(?P<secret>gh[pousr]_\w{30,}|github_pat_\w{22,})"),
    _pattern("GitLab token", (b"glpat-",), rb"\b(?P<secret>glpat-[\w-]{20,})"),
    _pattern("Slack token", (b"xox",), rb"\b(?P<secret>xox[abeoprs]-[\w-]{10,})"),
    _pattern("Stripe key", (b"k_live_", b"k_test_"), rb"\b(?P<secret>[rs]k_(?:live|test)_\w{10,})"),
    _pattern("API key (sk-)", (b"sk-",), rb"\b(?P<secret>sk-[\w-]{20,})"),
    _pattern("Google API key", (b"aiza",), rb"\b(?P<secret>AIza[\w-]{35})"),
    _pattern("Hugging Face token", (b"hf_",), rb"\b(?P<secret>hf_[A-Za-z0-9]{30,})"),
    _pattern("npm token", (b"npm_",), rb"\b(?P<secret>npm_[A-Za-z0-9]{36,})"),
    _pattern("DigitalOcean token", (b"_v1_",), rb"\b(?P<secret>do[opr]_v1_[0-9a-f]{64})"),
    _pattern("SendGrid key", (b"sg.",), rb"\b(?P<secret>SG\.[\w-]{16,64}\.[\w-]{16,128})"),
    _pattern("Google OAuth secret", (b"gocspx-",), rb"\b(?P<secret>GOCSPX-[\w-]{20,})"),
    _pattern("Telegram bot token", (b":aa",), rb"\b(?P<secret>[0-9]{8,10}:AA[\w-]{33})\b"),
    _pattern("OANDA token", (b"-",), rb"\b(?P<secret>[0-9a-f]{32}-[0-9a-f]{32})\b"),
    _pattern(
        "webhook",
        (b"hooks.slack.com/", b"/api/webhooks/"),
        rb"(?:hooks\.slack\.com/\w{1,20}/|discord(?:app)?\.com/api/webhooks/)(?P<secret>[\w/-]{16,})",
    ),
    _pattern("PyPI token", (b"pypi-",), rb"\b(?P<secret>pypi-[\w-]{40,})"),
    _pattern("JSON Web Token", (b"eyj",), rb"\b(?P<secret>eyJ[\w-]{10,1024}\.[\w-]{10,4096}\.[\w-]{5,})"),
    _pattern(
        "authorization header",
        (b"bearer", b"basic"),
        rb"(?:[Bb]earer|[Bb]asic)[ \t]+(?P<secret>(?=[\w.~+/-]{0,200}\d)[\w.~+/-]{16,}=*)",
    ),
    _pattern(
        "password in a URL",
        (b"://",),
        rb"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>]{0,64}:(?P<secret>[^\s@\"'/<>]{3,})@",
    ),
    _pattern(
        "token in a URL",  # in place of a user
        (b"://",),
        rb"[A-Za-z][A-Za-z0-9+.-]{1,20}://(?P<secret>(?=[\w-]{0,200}\d)[\w-]{16,})@",
    ),
    _pattern("signature in a URL", (b"sig",), rb"[?&](?:sig|Signature|X-Amz-Signature)=(?P<secret>[\w%+/=-]{16,})"),
    _pattern(  # "key": "9f…", SERVICE_KEY = "9f…": a name that says little, and a value that nobody would invent
        "value of a key",
        (b"key",),
        rb"(?i:key)[\"'\])\\]{0,4}\s{0,20}(?:=|:)\s{0,20}",
        _OPENING,
        _UNGUESSABLE + rb"[\"'\\]",
    ),
    _pattern(  # password = "…", "password": "…", password: str = "…", os.environ["PASSWORD"] = "…"
        _NAMED,
        _WORD_HINTS,
        rb"(?i:" + _WORD + rb")[\"'\])\\]{0,4}\s{0,20}" + _ANNOTATION + rb"\s{0,20}(?:=|:|=>|:=)\s{0,20}",
        _QUOTED,
    ),
    _pattern(  # os.getenv("PASSWORD", "…")
        _NAMED,
        _WORD_HINTS,
        rb"(?:get|getenv|set|setdefault|putenv)\(\s*\\?[\"'][\w.-]{0,64}?(?i:" + _WORD + rb")\\?[\"']\s*,\s*",
        _QUOTED,
    ),
)
# Without quotation marks: not for Python code, where what follows the sign is an expression.
BARE = (
    _pattern(  # a line of its own: PASSWORD=…, password: …
        _NAMED,
        _WORD_HINTS,
        rb"(?im)^[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+)?[\w.-]{0,64}?" + _WORD,
        rb"[ \t]*[=:][ \t]*(?P<secret>[^\s\"'#,]{4,})[ \t]*(?:#.*)?\r?$",
    ),
    _pattern(_NAMED, _WORD_HINTS, rb"(?i)(?:\b|_)" + _WORD + rb"=(?P<secret>[^\s\"';&,()]{4,})"),
    _pattern(  # on a command line: --password …
        _NAMED,
        _WORD_HINTS,
        rb"(?i)(?<!\S)--?[\w-]{0,40}?" + _WORD + rb"[ \t]{1,8}(?P<secret>[^\s\"'<>{}$-][^\s\"']{3,})",
    ),
    _pattern(
        "password of curl", (b"curl",), rb"\bcurl\b.{0,200}?[ \t]-u[ \t]{0,8}[^\s:\"']{1,64}:(?P<secret>[^\s\"']{3,})"
    ),
    _pattern(
        "password of .netrc", (b"password",), rb"\blogin\s{1,20}\S{1,64}\s{1,20}password\s{1,20}(?P<secret>\S{3,})"
    ),
    _pattern(
        "value of a key",
        (b"key",),
        rb"(?im)^[ \t]*(?:export[ \t]+|set[ \t]+|-[ \t]+)?[\w.-]{0,64}?key[ \t]*[=:][ \t]*",
        _UNGUESSABLE + rb"[ \t]*(?:#.*)?\r?$",
    ),
)

NAME = re.compile(rb"(?i)(?:" + _WORD + rb"|passwords|secrets|api[_-]?keys)$")
PLACEHOLDER = re.compile(rb"(?i)<.*>?|\[.*\]?|\{.*|\$.*|%.*%|your[_ -].*|x{3,}|\*+|\.{3,}|none|null|true|false")
