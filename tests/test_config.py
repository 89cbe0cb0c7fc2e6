"""tracksync.toml, interpretations files and endpoints: read right, and every mistake named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracksync.config import (
    BudgetSettings,
    Config,
    WorkspaceSettings,
    check_endpoint,
    is_loopback,
    load,
    parse,
    parse_interpretations,
    read_interpretations,
)
from tracksync.errors import ConfigError, UsageError

HERE = Path("project/tracksync.toml")
FULL = """
endpoint = "https://rest.iad-01.braze.com/"
key_env = "SANDBOX_KEY"
unprivileged_key_env = "SANDBOX_WEAK_KEY"
live = true
interpretations = "interpretations.toml"
baseline = "known.toml"
docs_url = "https://docs.example.com/tracksync"

[workspace]
rate_limit = 250
array_limit = 100
prefix = "nightly"

[budget]
requests = 900
seconds = 600.5
data_points = 2000
"""


def error_of(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, HERE)
    return str(caught.value)


def test_a_full_file_is_read() -> None:
    assert parse(FULL, HERE) == Config(
        endpoint="https://rest.iad-01.braze.com",
        key_env="SANDBOX_KEY",
        unprivileged_key_env="SANDBOX_WEAK_KEY",
        live=True,
        interpretations=Path("project/interpretations.toml"),
        baseline=Path("project/known.toml"),
        workspace=WorkspaceSettings(250, 100, "nightly"),
        budget=BudgetSettings(900, 600.5, 2000),
        docs_url="https://docs.example.com/tracksync",
    )


def test_an_empty_file_gives_the_defaults_and_does_not_opt_in_to_live() -> None:
    config = parse("", HERE)
    assert config == Config()
    assert config.live is False
    assert config.key_env == "TRACKSYNC_API_KEY"


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("live = true\nendpont = 'x'", 2, "did you mean 'endpoint'?"),
        ("\n\napi_key = 'x'", 3, "did you mean 'key_env'?"),
        ("[workspace]\nrate_limt = 5", 2, "did you mean 'rate_limit'?"),
        ("[budget]\n# a note\n'secnds' = 5", 3, "did you mean 'seconds'?"),
        ("live = true\n[budgets]\nrequests = 5", 2, "did you mean 'budget'?"),
        ("rate_limit = 5", 1, "it belongs in [workspace]"),
        ("[budget]\nendpoint = 'x'", 2, "it belongs at the top of the file"),
        ("budget.requsts = 5", 1, "did you mean 'requests'?"),
        ("workspace = { prefx = 'a' }", 1, "did you mean 'prefix'?"),
        ("rate_limitt = 5", 1, "did you mean 'rate_limit'? It belongs in [workspace]"),
        ("zzzzzz = 5", 1, "known here: endpoint, key_env"),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_a_suggestion(text: str, line: int, hint: str) -> None:
    message = error_of(text)
    assert message.startswith(f"{HERE}, line {line}: unknown key")
    assert hint in message


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("live = 'yes'", 1, "live has to be true or false"),
        ("docs_url = 'ftp://a.example'", 1, "docs_url has to be an address that begins with http:// or https://"),
        ("live = 1", 1, "live has to be true or false"),
        ("[workspace]\nrate_limit = 0", 2, "workspace.rate_limit has to be a whole number of at least 1"),
        ("[workspace]\nrate_limit = true", 2, "has to be a whole number"),
        ("[workspace]\narray_limit = 'many'", 2, "workspace.array_limit has to be a whole number"),
        ("[workspace]\nprefix = 'Ünsafe name'", 2, "workspace.prefix has to be 1 to 32 lower-case letters"),
        ("[budget]\n\nseconds = -1", 3, "budget.seconds has to be a number of seconds above 0"),
        ("[budget]\nseconds = inf", 2, "budget.seconds has to be a number of seconds above 0"),
        ("[budget]\ndata_points = 1.5", 2, "budget.data_points has to be a whole number"),
        ("budget = 5", 1, "budget has to be a table"),
        ("interpretations = 5", 1, "interpretations has to be the path of a file"),
        ("endpoint = 5", 1, "endpoint has to be a URL"),
        ("endpoint = 'rest.iad-01.braze.com'", 1, "is not a URL"),
        ("endpoint = 'http://rest.iad-01.braze.com'", 1, "reached over https"),
        ("key_env = ''", 1, "has to be the name of an environment variable"),
        ("key_env = 'MY KEY'", 1, "is not the name of an environment variable"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_it_has_to_be(text: str, line: int, hint: str) -> None:
    message = error_of(text)
    assert message.startswith(f"{HERE}, line {line}: ")
    assert hint in message


@pytest.mark.parametrize(
    "key",
    [
        "0f3c1b2a-9d8e-4c7b-a6f5-1234567890ab",
        "af3c1b2a-9d8e-4c7b-a6f5-1234567890ab",
        "a1b2c3d4e5f60718293a4b5c6d7e8f90",
        "kQ8ZbT5nWm2RfJx7LsVd",
        "abc+def/ghi=",
    ],
)
@pytest.mark.parametrize("name", ["key_env", "unprivileged_key_env"])
def test_a_key_in_place_of_its_variable_is_refused_and_not_repeated(name: str, key: str) -> None:
    message = error_of(f"{name} = '{key}'")
    assert "looks like a key" in message
    assert key not in message


@pytest.mark.parametrize("name", ["BRAZE_KEY", "brazeKey", "_K", "BRAZE_SANDBOX_KEY_2", "BRAZEAPIKEY2SANDBOX"])
def test_a_name_of_a_variable_is_not_taken_for_a_key(name: str) -> None:
    assert parse(f"key_env = '{name}'", HERE).key_env == name


def test_a_key_under_an_unknown_name_is_not_repeated() -> None:
    assert "s3cret" not in error_of("key = 's3cret-s3cret'")


def test_credentials_in_the_endpoint_are_refused_and_not_repeated() -> None:
    message = error_of("endpoint = 'https://s3cret@rest.iad-01.braze.com'")
    assert "environment variables" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("text", "line"),
    [("live = true\nendpoint = \n", 2), ("[budget\n", 1), ("a = 'x", 1), ("live = true\nlive = false", 2)],
)
def test_malformed_toml_is_named_with_its_line(text: str, line: int) -> None:
    message = error_of(text)
    assert message.startswith(f"{HERE}, line {line}")
    assert "this is not TOML" in message


def test_a_missing_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*nowhere\.toml; `tracksync init`"):
        load(tmp_path / "nowhere.toml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tracksync.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path)


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "tracksync.toml"
    path.write_bytes(b"\xef\xbb\xbflive = true\n")
    assert load(path).live is True


def interpretations_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "interpretations.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_interpretations_are_read_back(tmp_path: Path) -> None:
    path = interpretations_file(tmp_path, '[interpretations]\nno-user = "omitted"\narray-overflow = "newest"\n')
    assert read_interpretations(path) == {"no-user": "omitted", "array-overflow": "newest"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('[interpretations]\nno-usr = "omitted"', "line 2: no ambiguity is called 'no-usr'; did you mean no-user?"),
        (
            '[interpretations]\n\nno-user = "gone"',
            "line 3: ambiguity 'no-user' has no interpretation 'gone'; it has empty-list, omitted",
        ),
        ("[interpretations]\nno-user = 5", "line 2: the interpretation of 'no-user' has to be a string"),
        ('no-user = "omitted"', "line 1: unknown key 'no-user' at the top; known here: interpretations"),
        ("", "there is no table [interpretations]"),
        ("interpretations = 5", "there is no table [interpretations]"),
        ("[interpretations]\nno-user = ", "line 2: this is not TOML"),
    ],
)
def test_a_wrong_interpretations_file_is_named_with_line_and_ambiguity(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_interpretations(interpretations_file(tmp_path, text))
    assert hint in str(caught.value)


def test_a_missing_interpretations_file_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--save-interpretations"):
        read_interpretations(tmp_path / "interpretations.toml")


def test_interpretations_on_the_command_line_are_checked() -> None:
    assert parse_interpretations(["no-user=omitted", "no-user = empty-list"]) == {"no-user": "empty-list"}
    with pytest.raises(UsageError, match="AMBIGUITY=NAME"):
        parse_interpretations(["no-user"])
    with pytest.raises(UsageError, match="did you mean no-user"):
        parse_interpretations(["no-usr=omitted"])
    with pytest.raises(UsageError, match="it has empty-list, omitted"):
        parse_interpretations(["no-user=gone"])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("localhost:8080", "is not a URL"),
        ("ftp://localhost", "is not a URL"),
        ("http://", "is not a URL"),
        ("http://localhost:port", "is not a URL"),
        ("http://[::1", "is not a URL"),
        ("http://localhost:8080/users/track/sync", "http://localhost:8080"),
        ("http://localhost:8080?key=1", "? or #"),
        ("http://rest.fra-01.braze.eu", "https"),
    ],
)
def test_a_text_that_is_not_an_endpoint_is_refused(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_endpoint(text)
    assert hint in str(caught.value)


def test_an_endpoint_may_have_a_path_and_a_slash_at_its_end() -> None:
    assert check_endpoint("http://localhost:8080/braze/") == "http://localhost:8080/braze"


@pytest.mark.parametrize(
    "endpoint",
    [
        *(
            "http://localhost:1",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]:80",
            "http://mock.localhost/base",
        ),
        *("localhost", "127.0.0.1", "::1"),
    ],
)
def test_a_url_or_host_of_this_machine_is_loopback(endpoint: str) -> None:
    assert is_loopback(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        *("https://rest.iad-01.braze.com", "http://10.0.0.1", "http://localhost.example.com", "http://127.evil.com"),
        *("127.evil.com", "127.0.0.1.example.com", "10.0.0.1", "", "mock"),
    ],
)
def test_other_hosts_are_not_loopback_even_if_their_names_look_alike(endpoint: str) -> None:
    assert not is_loopback(endpoint)
