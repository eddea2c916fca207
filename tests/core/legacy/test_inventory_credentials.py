"""Credentials are found by pattern, and are in no output: not in the pages, not in the list, not in an error."""

import json

import pytest
from support.trees import scan

from golden_core.legacy.facts.credentials import find_credentials, names_credential, redacted
from golden_core.legacy.inventory_pages import inventory_json, inventory_markdown, sha256sums

PLANTED = "Xk9" + "planted7Q"  # in two parts, so that this file holds no credential itself
NAMED = "value of a credential name"


def outputs(inventory):
    return inventory_json(inventory) + inventory_markdown(inventory) + sha256sums(inventory) + repr(inventory)


def kinds(text, *, bare=False):
    return sorted({kind for kind, _, _ in find_credentials(text, bare=bare)})


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
    secrets = [secret for _, _, secret in find_credentials(text, bare=True)]
    assert not any(secret in redacted(text, ()) for secret in secrets)


@pytest.mark.parametrize("text", [
    "password = 'hunter22'", 'DB_PASSWORD="hunter22"', '{"api_key": "hunter22"}', "token: str = 'hunter22'",
    "os.environ['SECRET'] = 'hunter22'", "os.getenv('ACCESS_KEY', 'hunter22')", "login(user, passwd=r'hunter22')",
    'secret = """hunter22"""', "password = 'it\"s long'", "dsn = dict(pw='hunter22')",
])  # fmt: skip
def test_quoted_values_of_credential_names(text):
    assert kinds(text) == [NAMED]


@pytest.mark.parametrize(
    "text",
    ["PASSWORD=hunter22", "export API_KEY=hunter22", "  password: hunter22  # mine", "host=x;pwd=hunter22;port=1"],
)
def test_bare_values_count_in_texts_and_not_in_code(text):
    assert (kinds(text, bare=True), kinds(text)) == ([NAMED], [])


@pytest.mark.parametrize("text", [
    "password = os.environ['PASSWORD']", "if token == 'abc': pass", "max_tokens = '4096 tokens'", "password = ''",
    "api_key = '<your key>'", "api_key = '${API_KEY}'", "key = 'EURUSD_2010_to_2025_hourly_bid'",
    "bypass = 'yes'", "choices = ['token', 'other']", "https://example.org/a@b",
])  # fmt: skip
def test_what_is_no_credential(text):
    assert kinds(text) == []


@pytest.mark.parametrize("text", ["run.py --password <password> --token $TOKEN", "the key: value", "curl -u $U:$PASS"])
def test_what_is_no_credential_without_quotation_marks(text):
    assert kinds(text, bare=True) == []


def test_names_of_credentials():
    names = ("db_password", "API-KEY", "smtp_pass", "max_tokens", "key", "compass")
    assert [name for name in names if names_credential(name)] == ["db_password", "API-KEY", "smtp_pass"]


PLACES = {
    "code": ("v/a.py", f"password = '{PLANTED}'\n"),
    "flag": ("v/a.py", f"p.add_argument(\n    '--password',\n    type=str,\n    default='{PLANTED}',\n)\n"),
    "parameter": ("v/a.py", f"def f(token='{PLANTED}'): ...\n"),
    "url": ("v/a.py", f"open('https://me:{PLANTED}@host/x.csv')\n"),
    "not python": ("v/a.py", f"password = '{PLANTED}'\nprint 'x'\n"),
    "json": ("v/c.json", json.dumps({"db": {"password": PLANTED}, "url": f"x://u:{PLANTED}@h"})),
    "section": ("v/c.json", json.dumps({"credentials": {"user": "bob-the-user", "value": PLANTED}})),
    "yaml": ("v/c.yaml", f"password: {PLANTED}\nother: {PLANTED}\n"),
    "duplicate key": ("v/c.yaml", f"password: {PLANTED}\npassword: {PLANTED}\n"),
    "environment": ("v/.env", f"TOKEN={PLANTED}\n"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_credential_is_told_and_is_in_no_output(tmp_path, place):
    """The second version holds the same text under names that say nothing."""
    code = f"p.add_argument('--x', default='{PLANTED}')\nopen('/data/{PLANTED}/x.csv')\nconfig['{PLANTED}']\n"
    elsewhere = {"v_02/b.py": code, "v_02/c.json": json.dumps({"k": PLANTED, PLANTED: 1})}
    inventory = scan(tmp_path / "planted", dict([PLACES[place]]) | elsewhere)
    assert PLANTED not in outputs(inventory)
    assert [one.path for one in inventory.credentials][:1] == [PLACES[place][0]]
    unknown = scan(tmp_path / "unknown", elsewhere)  # the test would pass if nothing were ever shown
    assert unknown.credentials == ()
    assert outputs(unknown).count(PLANTED) > 3


def test_what_only_stands_under_such_a_name_is_not_shown(tmp_path):
    assert "8675309867" not in outputs(scan(tmp_path, {"v/c.json": '{"password": 8675309867}'}))


def test_where_credentials_stand_is_told_and_counted(tmp_path):
    content = "x = 1\n" + f"password = '{PLANTED}'\n" * 30
    (found,) = scan(tmp_path, {"v/a.py": content}).credentials
    assert (found.path, found.kind, found.count) == ("v/a.py", NAMED, 30)
    assert found.lines == tuple(range(2, 22))


def test_a_credential_that_two_patterns_find_is_counted_once(tmp_path):
    (found,) = scan(tmp_path, {"v/run.bat": "set PASSWORD=" + PLANTED + "\n"}).credentials
    assert (found.count, found.lines) == (1, (1,))


def test_a_secret_that_contains_another_is_redacted_whole():
    assert redacted("x abcdefghi y abcdef", ["abcdef", "abcdefghi"]) == "x [redacted] y [redacted]"
