"""Settings: where they come from, what they default to, and what stops the start."""

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from app.domain.window import DAY_US
from app.errors import SettingsError
from app.settings import Bind, Settings, load, secret_key


def of(tmp_path: Path, **given: str) -> Settings:
    return load({"MIDSPAN_HOME": str(tmp_path), **given}, tmp_path / "midspan.env")


def test_defaults_are_those_of_the_documentation(tmp_path: Path) -> None:
    settings = of(tmp_path)
    assert settings.registry_url == f"sqlite:///{tmp_path}/registry.db"
    assert settings.metrics_url == f"sqlite:///{tmp_path}/metrics.db"
    assert (str(settings.web_bind), str(settings.outbound_bind), str(settings.inbound_bind)) == (
        "127.0.0.1:8050", "127.0.0.1:8080", "127.0.0.1:8081",
    )  # fmt: skip
    assert (settings.inbound_hosts, settings.proxy_workers) == ((), 1)
    assert (settings.base_url, settings.smtp_url) == ("http://127.0.0.1:8050", None)
    assert settings.exchange_retention_us == 7 * DAY_US
    assert settings.capture_retention_us == 3 * DAY_US
    assert settings.journal_dir == tmp_path / "journal"
    assert settings.routes_path == tmp_path / "routes.json"


def test_the_home_is_var_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}).home == tmp_path / "var"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "midspan.env").write_text(
        "# ours\n\nMIDSPAN_PROXY_WORKERS=3\nMIDSPAN_BASE_URL = 'https://m.example/'\n"
    )
    settings = of(tmp_path, MIDSPAN_PROXY_WORKERS="4")
    assert (settings.proxy_workers, settings.base_url) == (4, "https://m.example")


def test_an_empty_value_is_the_default(tmp_path: Path) -> None:
    assert of(tmp_path, MIDSPAN_PROXY_WORKERS="").proxy_workers == 1


def test_what_does_not_begin_with_midspan_is_not_ours(tmp_path: Path) -> None:
    assert of(tmp_path, PATH="/bin", XMIDSPAN_A="1", MIDSPAN_TEST_ALL="1").proxy_workers == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MIDSPAN_NONSENSE", "1", "unknown setting MIDSPAN_NONSENSE: docs/settings.md"),
        ("MIDSPAN_REGISTRY_URL", "mysql://a/b", "neither a sqlite:/// nor a postgresql:// URL"),
        ("MIDSPAN_METRICS_URL", "x", "neither a sqlite:/// nor a postgresql:// URL"),
        ("MIDSPAN_WEB_BIND", "8050", "'8050' is not host:port"),
        ("MIDSPAN_WEB_BIND", "127.0.0.1:70000", "is not host:port"),
        ("MIDSPAN_OUTBOUND_BIND", ":80", "is not host:port"),
        ("MIDSPAN_INBOUND_BIND", "h:http", "is not host:port"),
        ("MIDSPAN_INBOUND_HOSTS", "a.example,b c", "'b c' is not a host name"),
        ("MIDSPAN_PROXY_WORKERS", "0", "is not a whole number from 1 to 256"),
        ("MIDSPAN_PROXY_WORKERS", "1.5", "is not a whole number"),
        ("MIDSPAN_PROXY_WORKERS", "\u0663", "is not a whole number"),
        ("MIDSPAN_TRUSTED_PEERS", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("MIDSPAN_TRUSTED_PEERS", "lb.example", "does not appear to be an IPv4 or IPv6 network"),
        ("MIDSPAN_FORWARDED_HEADER", "both", "'both' is not one of x-forwarded, forwarded"),
        ("MIDSPAN_PROXY_PROTOCOL", "yes", "'yes' is not one of off, on"),
        ("MIDSPAN_DRAIN", "10", "bad duration '10'"),
        ("MIDSPAN_BASE_URL", "m.example", "is not an http or https URL"),
        ("MIDSPAN_SMTP_URL", "http://x", "not an smtp://host:port"),
        ("MIDSPAN_EXCHANGE_RETENTION", "week", "bad duration 'week'"),
        ("MIDSPAN_CAPTURE_RETENTION", "0d", "bad duration '0d'"),
        ("MIDSPAN_SEGMENT_BYTES", "1", "is not a whole number from 65536"),
        ("MIDSPAN_CAPTURE_RATIO", "2", "'2' is not between 0 and 1"),
        ("MIDSPAN_CAPTURE_RATIO", "nan", "'nan' is not between 0 and 1"),
        ("MIDSPAN_RETRY_AFTER_MAX", "0m", "bad duration '0m'"),
        ("MIDSPAN_HEAD_BYTES", "1", "is not a whole number from 1024"),
        ("MIDSPAN_IDLE_TIMEOUT", "0s", "bad duration '0s'"),
        ("MIDSPAN_CONNECTIONS", "0", "is not a whole number from 1"),
        ("MIDSPAN_LOG_LEVEL", "loud", "'loud' is not one of info, debug, warning, error"),
        ("MIDSPAN_SECRET_KEY", "short", "must have at least 32 characters"),
    ],
)
def test_what_makes_no_sense_stops_the_start_with_one_line(
    name: str, value: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as caught:
        of(tmp_path, **{name: value})
    message = str(caught.value)
    assert name in message
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["MIDSPAN_REGISTRY_URL", "MIDSPAN_SMTP_URL", "MIDSPAN_SECRET_KEY"])
def test_a_secret_in_a_bad_value_is_not_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        of(tmp_path, **{name: "mysql://me:hunter22@h"})
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PORT=1\n", ":1: expected MIDSPAN_NAME=value"),
        (b"\nMIDSPAN_HOME\n", ":2: expected MIDSPAN_NAME=value"),
        (b"MIDSPAN_HOME=\xff\n", "cannot read"),
    ],
)
def test_a_bad_settings_file_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "midspan.env"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load({}, path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "bind"),
    [("0.0.0.0:80", Bind("0.0.0.0", 80)), ("[::1]:8050", Bind("::1", 8050)),
     ("midspan.example:443", Bind("midspan.example", 443))],
)  # fmt: skip
def test_binds_are_host_and_port(text: str, bind: Bind, tmp_path: Path) -> None:
    assert of(tmp_path, MIDSPAN_WEB_BIND=text).web_bind == bind
    assert str(bind) == text


def test_the_wires_settings_are_parsed_and_off_by_default(tmp_path: Path) -> None:
    plain = of(tmp_path)
    assert (plain.trusted_peers, plain.proxy_protocol) == ((), False)
    assert (plain.inbound_tls_cert, plain.forwarded_header) == (None, "x-forwarded")
    assert (plain.drain_us, plain.dns_keep_us, plain.dns_stale_us) == (10**7, 10**7, 3 * 10**8)
    given = of(
        tmp_path,
        MIDSPAN_TRUSTED_PEERS="10.0.0.0/8, ::1",
        MIDSPAN_PROXY_PROTOCOL="on",
        MIDSPAN_INBOUND_TLS_CERT="/tls/cert.pem",
    )
    assert [str(network) for network in given.trusted_peers] == ["10.0.0.0/8", "::1/128"]
    assert given.proxy_protocol
    assert given.inbound_tls_cert == Path("/tls/cert.pem")


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    settings = of(tmp_path / "home")
    key = secret_key(settings)
    assert len(key) >= 43
    assert secret_key(settings) == key
    assert stat.S_IMODE((tmp_path / "home" / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_processes_that_start_together_have_the_same_secret_key(tmp_path: Path) -> None:
    for number in range(20):
        settings = of(tmp_path / str(number))
        with ThreadPoolExecutor(4) as pool:
            keys = set(pool.map(secret_key, [settings] * 4))
        assert len(keys) == 1
        assert len(keys.pop()) >= 43
        assert [path.name for path in settings.home.iterdir()] == ["secret"]


def test_a_given_secret_key_is_kept_nowhere(tmp_path: Path) -> None:
    assert secret_key(of(tmp_path, MIDSPAN_SECRET_KEY="k" * 32)) == "k" * 32
    assert not (tmp_path / "secret").exists()


def test_a_secret_that_cannot_be_kept_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot write .*; set MIDSPAN_HOME"):
        secret_key(load({"MIDSPAN_HOME": str(tmp_path / "file" / "home")}, tmp_path / "none"))


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = of(tmp_path)
    with pytest.raises(AttributeError):
        settings.home = tmp_path  # type: ignore[misc]
    assert len(fields(settings)) > 10
