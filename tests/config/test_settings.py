from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from config.settings import SettingsError, load_settings, missing_credentials

POSTGRES = "postgresql://user:pa55word@db.example.com:5432/bridge"


def problem_of(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert len(caught.value.problems) == 1, caught.value.problems
    return caught.value.problems[0]


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    """Nothing needs to be set to start on this machine."""
    settings = load_settings({"PORT": "", "WEBEX_BOT_TOKEN_FILE": " "})
    assert settings.bridge_config == Path("config/bridge.yaml")
    assert settings.database_url.get_secret_value() == "sqlite:///var/bridge.db"
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 8080, None)
    assert settings.webex_api_url == "https://webexapis.com/v1"
    assert (settings.log_format, settings.log_level, settings.bridge_env) == (None, "info", "production")
    assert settings.webex_bot_token is None
    assert settings.secret_keys == ()


def test_only_the_given_mapping_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping stands for the whole environment; without one the process's own is read."""
    monkeypatch.setenv("PORT", "9001")
    assert load_settings({}).port == 8080
    assert load_settings().port == 9001


def test_every_variable_may_come_from_a_file(tmp_path: Path) -> None:
    """NAME_FILE names a file whose content, stripped, is the value."""
    (tmp_path / "token").write_text("  abc123\n")
    (tmp_path / "port").write_text("\ufeff9000\r\n", encoding="utf-8")
    settings = load_settings(
        {"WEBEX_BOT_TOKEN_FILE": str(tmp_path / "token"), "PORT_FILE": str(tmp_path / "port")}
    )
    assert settings.webex_bot_token is not None
    assert settings.webex_bot_token.get_secret_value() == "abc123"
    assert settings.port == 9000


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe", b"x" * 70_000])
def test_a_file_without_a_usable_value_is_a_problem(tmp_path: Path, content: bytes | None) -> None:
    """A file that is missing, empty, too large or not text is named, and its content is not shown."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    said = problem_of({"WEBEX_BOT_TOKEN_FILE": str(file)})
    assert said.startswith("WEBEX_BOT_TOKEN_FILE names")
    assert "xxx" not in said


def test_a_variable_and_its_file_together_are_a_problem(tmp_path: Path) -> None:
    """Nobody has to guess which of the two counts."""
    assert "PORT and PORT_FILE are both set" in problem_of({"PORT": "1", "PORT_FILE": str(tmp_path / "x")})


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5"])
def test_a_port_is_a_number_from_1_to_65535(port: str) -> None:
    """Any other PORT is refused."""
    assert problem_of({"PORT": port}) == "PORT: must be a whole number from 1 to 65535."


@pytest.mark.parametrize("name", ["PUBLIC_URL", "WEBEX_API_URL"])
@pytest.mark.parametrize(
    "url", ["https://bridge.example.com/x", "http://localhost:8080", "http://127.8.9.1/v1", "http://[::1]:1"]
)
def test_addresses_are_https_or_on_this_machine(name: str, url: str) -> None:
    """http is for loopback hosts; a trailing slash is taken off."""
    assert getattr(load_settings({name: url + "/"}), name.lower()) == url


@pytest.mark.parametrize("name", ["PUBLIC_URL", "WEBEX_API_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "http://bridge.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://x",
        "bridge.example.com",
        "https://",
        "https://user:secret@x.example",
        "https://x.example?a=b",
        "https://x.example:99999",
        "https://[::1",
        "https://x.ex ample",
    ],
)
def test_other_addresses_are_refused(name: str, url: str) -> None:
    """Plain http to another machine, passwords and half addresses are refused without showing them."""
    said = problem_of({name: url})
    assert said.startswith(f"{name}: ")
    assert "secret" not in said


@pytest.mark.parametrize("url", ["sqlite:///var/bridge.db", "sqlite:////srv/bridge.db"])
def test_sqlite_is_a_relative_or_an_absolute_file(url: str) -> None:
    """Three slashes are relative, four are absolute."""
    settings = load_settings({"DATABASE_URL": url})
    assert settings.database_url.get_secret_value() == url
    assert not settings.uses_postgresql


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_is_known_by_both_names(scheme: str) -> None:
    """postgres:// is what many hosts hand out; the store gets one spelling."""
    url = POSTGRES.replace("postgresql", scheme)
    settings = load_settings({"DATABASE_URL": url, "BRIDGE_SECRET_KEY": Fernet.generate_key().decode()})
    assert settings.database_url.get_secret_value() == POSTGRES
    assert settings.uses_postgresql


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "sqlite:///var/",
        "mysql://u:pa55word@h/n",
        "bridge.db",
        "://",
    ],
)
def test_other_databases_are_refused(url: str) -> None:
    """What cannot survive a restart, or is no such address, is refused without showing it."""
    said = problem_of({"DATABASE_URL": url})
    assert said.startswith("DATABASE_URL: must")
    assert "pa55word" not in said


@pytest.mark.parametrize(
    "rest", ["", "u:pa55word@h", "u:pa55word@h/", "u:pa55word@h:x/n", "u@/n", "u@h/n/m", "u@h/n#x"]
)
def test_half_a_postgresql_address_is_refused(rest: str) -> None:
    """Host and name of the database must be there."""
    key = Fernet.generate_key().decode()
    said = problem_of({"DATABASE_URL": f"postgresql://{rest}", "BRIDGE_SECRET_KEY": key})
    assert said.startswith("DATABASE_URL: ")
    assert "pa55word" not in said


def test_postgresql_needs_a_key_of_its_own() -> None:
    """A key made by one process would lock the others out."""
    assert problem_of({"DATABASE_URL": POSTGRES}).startswith("BRIDGE_SECRET_KEY: must be set with PostgreSQL")


def test_several_keys_are_kept_newest_first() -> None:
    """Rotation lists the keys, with commas between them."""
    keys = [Fernet.generate_key() for _ in range(3)]
    settings = load_settings({"BRIDGE_SECRET_KEY": b" , ".join(keys).decode()})
    assert settings.secret_keys == tuple(keys)


def test_a_key_that_is_none_is_counted_and_not_shown() -> None:
    """The message says which of the keys is wrong and how to make one."""
    said = problem_of({"BRIDGE_SECRET_KEY": f"{Fernet.generate_key().decode()},hunter2"})
    assert said.startswith("BRIDGE_SECRET_KEY: key 2 of 2")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "loud"), ("BRIDGE_ENV", "staging"), ("HOST", "a b")],
)
def test_what_is_one_of_few_values_is_checked(name: str, value: str) -> None:
    """Unknown values are refused; case does not matter for known ones."""
    assert problem_of({name: value}).startswith(f"{name}: ")
    assert load_settings({"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "Console"}).log_level == "debug"


def test_a_token_with_a_line_break_is_refused() -> None:
    """It could not be sent in a header."""
    said = problem_of({"WEBEX_BOT_TOKEN": "abc\ndef"})
    assert said.startswith("WEBEX_BOT_TOKEN: has a space, a line break")
    assert "abc" not in said


def test_every_problem_is_told_at_once() -> None:
    """One start is enough to learn everything that is wrong."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"PORT": "x", "DATABASE_URL": POSTGRES, "LOG_LEVEL": "x", "HOST_FILE": "/nope"})
    names = sorted(text.split(":")[0].split()[0] for text in caught.value.problems)
    assert names == ["BRIDGE_SECRET_KEY", "HOST_FILE", "LOG_LEVEL", "PORT"]


def test_no_secret_is_ever_printed() -> None:
    """Settings can be printed and logged."""
    key = Fernet.generate_key().decode()
    names = ("WEBEX_BOT_TOKEN", "WEBEX_SERVICE_APP_REFRESH_TOKEN", "WEBEX_WEBHOOK_SECRET")
    secrets = dict.fromkeys(names, "hunter2")
    settings = load_settings({**secrets, "DATABASE_URL": POSTGRES, "BRIDGE_SECRET_KEY": key})
    shown = repr(settings) + str(settings) + str(settings.model_dump())
    assert not any(secret in shown for secret in ("hunter2", "pa55word", key))


def test_missing_credentials_are_named() -> None:
    """Each way of minting guests needs its own variables."""
    settings = load_settings({"WEBEX_SERVICE_APP_CLIENT_ID": "x"})
    assert missing_credentials(settings, "service-app") == ["WEBEX_SERVICE_APP_CLIENT_SECRET"]
    assert missing_credentials(settings, "personal-token") == ["WEBEX_PERSONAL_ACCESS_TOKEN"]


def test_trusted_proxies_are_addresses_and_networks() -> None:
    """This machine unless said otherwise; what is neither is named."""
    assert [str(one) for one in load_settings({}).trusted_proxies] == ["127.0.0.0/8", "::1/128"]
    named = load_settings({"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7,2001:db8::1"}).trusted_proxies
    assert [str(one) for one in named] == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::1/128"]
    said = problem_of({"TRUSTED_PROXIES": "10.0.0.0/8, proxy.internal"})
    assert said.startswith("TRUSTED_PROXIES: 'proxy.internal' is neither an IP address nor a network")
