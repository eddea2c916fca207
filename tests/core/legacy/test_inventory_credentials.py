"""Credentials are found by pattern, and are in no output: not in the pages, not in the list, not in an error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trees import scan

from golden_core.legacy.facts.credentials import find_credentials, names_credential, redactor
from golden_core.legacy.inventory import Inventory
from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown, sha256sums

PLANTED = "Xk9" + "planted7Q"  # in two parts, so that this file holds no credential itself


def outputs(inventory: Inventory) -> str:
    return inventory_json(inventory) + inventory_markdown(inventory) + sha256sums(inventory) + repr(inventory)


def kinds(text: str, *, bare: bool = False) -> list[str]:
    return sorted({found.kind for found in find_credentials(text, bare=bare)})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("AKIA" + "ABCDEFGHIJKLMNOP", "AWS access key"),
        ("ghp_" + "a1" * 18, "GitHub token"),
        ("github_pat_" + "a1" * 20, "GitHub token"),
        ("sk-" + "a1" * 16, "API key (sk-)"),
        ("postgresql://user:hunter22@host/db", "password in a URL"),
        ("0f" * 16 + "-" + "1e" * 16, "OANDA token"),
        ("-----BEGIN RSA PRIVATE " + "KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "private key"),
    ],
)
def test_each_kind_is_recognised_and_redacted(text, kind):
    assert kind in kinds(f"x = '{text}'")
    assert "[redacted]" in redactor(())(text)
    secrets = [found.secret for found in find_credentials(text, bare=True)]
    assert not any(secret in redactor(())(text) for secret in secrets)


@pytest.mark.parametrize(
    "text",
    [
        "password = 'hunter22'",
        'DB_PASSWORD="hunter22"',
        '{"api_key": "hunter22"}',
        "api-key: 'hunter22'",
        "token: str = 'hunter22'",
        "os.environ['SECRET'] = 'hunter22'",
        "os.getenv('ACCESS_KEY', 'hunter22')",
        "login(user, passwd=r'hunter22')",
        'secret = """hunter22"""',
        "password = 'it\"s long'",
        "db_pass = 'hunter22'",
        "dsn = dict(pw='hunter22')",
        '{"auths": {"host": {"auth": "aHVudGVyMjI="}}}',
    ],
)
def test_quoted_values_of_credential_names(text):
    assert kinds(text) == ["value of a credential name"]


@pytest.mark.parametrize(
    "text",
    ["PASSWORD=hunter22", "export API_KEY=hunter22", "  password: hunter22  # mine", "host=x;pwd=hunter22;port=1"],
)
def test_bare_values_count_in_texts_and_not_in_code(text):
    assert kinds(text, bare=True) == ["value of a credential name"]
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['PASSWORD']",
        "token = tokens[3]",
        "if token == 'abc': pass",
        "tokenizer = 'bert-base'",
        "max_tokens = '4096 tokens'",
        "password = ''",
        "api_key = '<your key>'",
        "api_key = '${API_KEY}'",
        "password = 'None'",
        "key = 'close'",
        "key = 'EURUSD_2010_to_2025_hourly_bid'",
        "sort_key = 'abcdefghijklmnopqrstuvwxyz'",
        "bypass = 'yes'",
        "author = 'someone'",
        "passes = 'three'",
        "https://example.org/a@b",
        "monkey: 'banana'",
    ],
)
def test_what_is_no_credential(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text", ["run.py --password <password> --token $TOKEN", "the key: value", "key: volatility", "curl -u $USER:$PASS"]
)
def test_what_is_no_credential_without_quotation_marks(text):
    assert kinds(text, bare=True) == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("db_password", True),
        ("API-KEY", True),
        ("max_tokens", False),
        ("key", False),
        ("smtp_pass", True),
        ("compass", False),
    ],
)
def test_names_of_credentials(name, is_one):
    assert names_credential(name) is is_one


PLACES = {
    "code": ("v/a.py", f"password = '{PLANTED}'\n"),
    "flag": ("v/a.py", f"p.add_argument(\n    '--password',\n    type=str,\n    default='{PLANTED}',\n)\n"),
    "parameter": ("v/a.py", f"def f(token='{PLANTED}'): ...\n"),
    "text in code": ("v/a.py", f"connect('host=x;password={PLANTED};')\nopen('/x/password={PLANTED}/a.csv')\n"),
    "url": ("v/a.py", f"open('https://me:{PLANTED}@host/x.csv')\nu = 's3://me:{PLANTED}@host/x.csv'\n"),
    "in two parts": (
        "v/a.py",
        f"password = '{PLANTED[:4]}' '{PLANTED[4:]}'\np.add_argument('--x', default='{PLANTED}')\n",
    ),
    "not python": ("v/a.py", f"password = '{PLANTED}'\nprint 'password={PLANTED}'\n"),
    "odd codec": ("v/a.py", f"# coding: {PLANTED}\npassword = '{PLANTED}'\n"),
    "json": ("v/c.json", json.dumps({"db": {"password": PLANTED}, "url": f"x://u:{PLANTED}@h"})),
    "number": ("v/c.json", '{"password": 8675309867}'),
    "section": ("v/c.json", json.dumps({"credentials": {"user": "bob-the-user", "value": PLANTED}})),
    "yaml": ("v/c.yaml", f"password: {PLANTED}\nother: {PLANTED}\n"),
    "duplicate key": ("v/c.yaml", f"password: {PLANTED}\npassword: {PLANTED}\n"),
    "unknown tag": ("v/c.yaml", f"password: !{PLANTED} x\n"),
    "unknown alias": ("v/c.yaml", f"password: *{PLANTED}\n"),
    "toml": ("v/c.toml", f'password = "{PLANTED}"\n'),
    "environment": ("v/.env", f"TOKEN={PLANTED}\n"),
}


# What is not text under such a name is not found as a credential, yet it is shown nowhere.
NOT_FOUND = {"number", "unknown tag"}


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_credential_is_in_no_output(tmp_path, place):
    inventory = scan(tmp_path, dict([PLACES[place]]))
    shown = outputs(inventory)
    assert PLANTED not in shown
    assert "8675309867" not in shown
    assert bool(inventory.credentials) is (place not in NOT_FOUND)


@pytest.mark.parametrize("place", sorted(PLACES.keys() - NOT_FOUND - {"unknown alias"}))
def test_a_credential_found_in_one_place_is_redacted_in_every_other(tmp_path, place):
    """The second version holds the same text under names that say nothing (an alias is found with its asterisk)."""
    code = f"p.add_argument('--x', default='{PLANTED}')\nopen('/data/{PLANTED}/x.csv')\nconfig['{PLANTED}']\n"
    elsewhere = {"v_02/b.py": code, "v_02/c.json": json.dumps({"k": PLANTED, PLANTED: 1})}
    inventory = scan(tmp_path, dict([PLACES[place]]) | elsewhere)
    assert PLANTED not in outputs(inventory)
    assert [one.path for one in inventory.credentials][:1] == [PLACES[place][0]]


def test_without_a_credential_the_same_texts_are_shown(tmp_path):
    """The test above would pass if nothing were ever shown."""
    other = f"p.add_argument('--x', default='{PLANTED}')\nopen('/data/{PLANTED}/x.csv')\n"
    inventory = scan(tmp_path, {"v/b.py": other, "v/c.json": json.dumps({"k": PLANTED})})
    assert inventory.credentials == ()
    assert outputs(inventory).count(PLANTED) > 3


def test_where_credentials_stand_is_told_and_counted(tmp_path):
    content = "x = 1\n" + f"password = '{PLANTED}'\n" * 30
    (found,) = scan(tmp_path, {"v/a.py": content}).credentials
    assert (found.path, found.kind, found.count) == ("v/a.py", "value of a credential name", 30)
    assert found.lines == tuple(range(2, 22))


def test_a_credential_that_two_patterns_find_is_counted_once(tmp_path):
    (found,) = scan(tmp_path, {"v/run.bat": "set PASSWORD=" + PLANTED + "\n"}).credentials
    assert (found.count, found.lines) == (1, (1,))


def test_a_secret_that_contains_another_is_redacted_whole():
    redact = redactor(["abcdef", "abcdefghi"])
    assert redact("x abcdefghi y abcdef") == "x [redacted] y [redacted]"


@given(st.text(), st.lists(st.text(min_size=6), max_size=4), st.text())
def test_no_known_secret_survives(before, secrets, after):
    redact = redactor(secrets)
    for secret in secrets:
        shown = redact(before + secret + after).replace("[redacted]", "\0")
        assert not any(other in shown for other in secrets if "\0" not in other)


@given(st.text())
def test_redaction_without_credentials_changes_nothing(text):
    if not any(find_credentials(text, bare=True)):
        assert redactor(())(text) == text
