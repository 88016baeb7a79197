"""The settings of Midspan, and the only reader of the environment.

A name that starts with `MIDSPAN_` and is unknown, or a value that makes no sense, stops the start
with one line naming it. The environment wins over `midspan.env` in the working directory.
docs/settings.md lists the same names (a test compares).
"""

import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.domain.window import parse_duration
from app.errors import SettingsError

Network = IPv4Network | IPv6Network

ENV_FILE = "midspan.env"
_PREFIX = "MIDSPAN_"
#: Names that tools around the product read; not settings of it.
_FOREIGN = frozenset({"MIDSPAN_TEST_ALL"})
_HOST = re.compile(r"^[A-Za-z0-9.\-]+$")


@dataclass(frozen=True, slots=True)
class Bind:
    """An address to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, parsed. Durations are microseconds, sizes bytes."""

    home: Path
    registry_url: str
    metrics_url: str
    web_bind: Bind
    outbound_bind: Bind
    inbound_bind: Bind
    inbound_hosts: tuple[str, ...]
    outbound_tls_cert: Path | None
    outbound_tls_key: Path | None
    inbound_tls_cert: Path | None
    inbound_tls_key: Path | None
    trusted_peers: tuple[Network, ...]
    forwarded_header: str
    proxy_protocol: bool
    proxy_workers: int
    drain_us: int
    dns_keep_us: int
    dns_stale_us: int
    base_url: str
    smtp_url: str | None
    mail_from: str
    heartbeat: str | None
    heartbeat_every_us: int
    weekly_report: bool
    oidc_issuer: str | None
    oidc_client_id: str | None
    oidc_client_secret: str | None
    audit_retention_us: int
    api_requests_per_minute: int
    exchange_retention_us: int
    capture_retention_us: int
    segment_bytes: int
    journal_max_bytes: int
    capture_ratio: float
    retry_after_max_us: int
    head_line_bytes: int
    head_bytes: int
    head_fields: int
    head_timeout_us: int
    chunk_framing_bytes: int
    pipeline_bytes: int
    body_bytes_per_second: int
    idle_timeout_us: int
    connections: int
    peer_connections: int
    list_bytes: int
    list_pages: int
    list_timeout_us: int
    stripe_secrets: tuple[tuple[str, str], ...]
    log_level: str
    log_format: str
    secret_key: str | None

    @property
    def journal_dir(self) -> Path:
        """One folder per proxy worker lies in here."""
        return self.home / "journal"

    @property
    def routes_path(self) -> Path:
        """The published routing table."""
        return self.home / "routes.json"


def load(environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
    """The settings of this process; `SettingsError` naming what is wrong."""
    path = env_file or Path(ENV_FILE)
    given = {**_read_file(path), **(os.environ if environ is None else environ)}
    known = {f"{_PREFIX}{field.name.removesuffix('_us').upper()}" for field in fields(Settings)}
    for name in given:
        if name.startswith(_PREFIX) and name not in known | _FOREIGN:
            raise SettingsError(f"unknown setting {name}: docs/settings.md lists the known ones")
    return _parse({name: value for name, value in given.items() if name in known})


def secret_key(settings: Settings) -> str:
    """The key that signs sessions and links: the setting, else one kept in the home, made once."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / "secret"
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _keep_secret(path)
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}; set MIDSPAN_HOME") from error


def _keep_secret(path: Path) -> None:
    # Linked into place when it is whole: of processes that start together all read the first's.
    descriptor, draft = tempfile.mkstemp(prefix=".secret.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()


def _read_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().startswith(_PREFIX):
            raise SettingsError(f"{path}:{number}: expected {_PREFIX}NAME=value")
        found[name.strip()] = value.strip().strip("\"'")
    return found


def _parse(given: Mapping[str, str]) -> Settings:
    def get(name: str, default: str, parse: Callable[[str], Any]) -> Any:
        value = given.get(_PREFIX + name, "") or default
        try:
            return parse(value)
        except ValueError as error:
            raise SettingsError(f"{_PREFIX}{name}: {error}") from None

    home = get("HOME", "var", lambda text: Path(text).absolute())
    # In a URL these two characters of a path would mean something else.
    base_url = get("BASE_URL", "http://127.0.0.1:8050", _http_url)
    databases = "sqlite:///" + str(home).replace("%", "%25").replace("?", "%3F")
    return Settings(
        home=home,
        registry_url=get("REGISTRY_URL", f"{databases}/registry.db", _database),
        metrics_url=get("METRICS_URL", f"{databases}/metrics.db", _database),
        web_bind=get("WEB_BIND", "127.0.0.1:8050", _bind),
        outbound_bind=get("OUTBOUND_BIND", "127.0.0.1:8080", _bind),
        inbound_bind=get("INBOUND_BIND", "127.0.0.1:8081", _bind),
        inbound_hosts=get("INBOUND_HOSTS", "", _hosts),
        outbound_tls_cert=get("OUTBOUND_TLS_CERT", "", _file),
        outbound_tls_key=get("OUTBOUND_TLS_KEY", "", _file),
        inbound_tls_cert=get("INBOUND_TLS_CERT", "", _file),
        inbound_tls_key=get("INBOUND_TLS_KEY", "", _file),
        trusted_peers=get("TRUSTED_PEERS", "", _networks),
        forwarded_header=get("FORWARDED_HEADER", *_choice("x-forwarded", "forwarded")),
        proxy_protocol=get("PROXY_PROTOCOL", *_choice("off", "on")) == "on",
        proxy_workers=get("PROXY_WORKERS", "1", _between(1, 256)),
        drain_us=get("DRAIN", "10s", parse_duration),
        dns_keep_us=get("DNS_KEEP", "10s", parse_duration),
        dns_stale_us=get("DNS_STALE", "5m", parse_duration),
        base_url=base_url,
        smtp_url=get("SMTP_URL", "", _smtp),
        mail_from=get("MAIL_FROM", f"midspan@{urlsplit(base_url).hostname}", _address),
        heartbeat=get("HEARTBEAT", "", _heartbeat),
        heartbeat_every_us=get("HEARTBEAT_EVERY", "1h", parse_duration),
        weekly_report=get("WEEKLY_REPORT", *_choice("on", "off")) == "on",
        **_oidc(get),
        audit_retention_us=get("AUDIT_RETENTION", "400d", _audit_retention),
        api_requests_per_minute=get("API_REQUESTS_PER_MINUTE", "600", _between(1, 1_000_000)),
        exchange_retention_us=get("EXCHANGE_RETENTION", "7d", parse_duration),
        capture_retention_us=get("CAPTURE_RETENTION", "3d", parse_duration),
        segment_bytes=get("SEGMENT_BYTES", "67108864", _between(65_536, 2**31)),
        journal_max_bytes=get("JOURNAL_MAX_BYTES", "8589934592", _between(1_048_576, 2**50)),
        retry_after_max_us=get("RETRY_AFTER_MAX", "60s", _duration_or_zero),
        **_caps(get),
        capture_ratio=get("CAPTURE_RATIO", "0.01", _ratio),
        list_bytes=get("LIST_BYTES", "33554432", _between(1_024, 2**30)),
        list_pages=get("LIST_PAGES", "1000", _between(1, 100_000)),
        list_timeout_us=get("LIST_TIMEOUT", "60s", parse_duration),
        stripe_secrets=get("STRIPE_SECRETS", "", _stripe_secrets),
        log_level=get("LOG_LEVEL", *_choice("info", "debug", "warning", "error")),
        log_format=get("LOG_FORMAT", *_choice("text", "json")),
        secret_key=get("SECRET_KEY", "", _secret),
    )


def _oidc(get: Callable[[str, str, Callable[[str], Any]], Any]) -> dict[str, Any]:
    """The three of them or none."""
    given: dict[str, Any] = {
        "oidc_issuer": get("OIDC_ISSUER", "", _issuer),
        "oidc_client_id": get("OIDC_CLIENT_ID", "", str) or None,
        "oidc_client_secret": get("OIDC_CLIENT_SECRET", "", str) or None,
    }
    missing = [f"{_PREFIX}{name.upper()}" for name, value in given.items() if value is None]
    if 0 < len(missing) < len(given):
        raise SettingsError(f"log-in by OIDC needs {' and '.join(missing)}, too")
    return given


def _caps(get: Callable[[str, str, Callable[[str], Any]], Any]) -> dict[str, Any]:
    """What a caller of the proxy may send, hold open and take its time for."""
    return {
        "head_line_bytes": get("HEAD_LINE_BYTES", "8192", _between(1_024, 65_536)),
        "head_bytes": get("HEAD_BYTES", "65536", _between(1_024, 1_048_576)),
        "head_fields": get("HEAD_FIELDS", "100", _between(10, 1_000)),
        "head_timeout_us": get("HEAD_TIMEOUT", "10s", parse_duration),
        "chunk_framing_bytes": get("CHUNK_FRAMING_BYTES", "131072", _between(1_024, 2**30)),
        "pipeline_bytes": get("PIPELINE_BYTES", "65536", _between(0, 1_048_576)),
        "body_bytes_per_second": get("BODY_BYTES_PER_SECOND", "256", _between(0, 2**30)),
        "idle_timeout_us": get("IDLE_TIMEOUT", "60s", parse_duration),
        "connections": get("CONNECTIONS", "16384", _between(1, 1_048_576)),
        "peer_connections": get("PEER_CONNECTIONS", "1024", _between(0, 1_048_576)),
    }


def _bind(text: str) -> Bind:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} is not host:port")
    return Bind(host.strip("[]"), int(port))


def _database(text: str) -> str:
    scheme = urlsplit(text).scheme.split("+")[0]
    if scheme not in {"sqlite", "postgresql"}:
        # Not shown: it may hold a password.
        raise ValueError("it is neither a sqlite:/// nor a postgresql:// URL")
    return text


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is not an http or https URL")
    return text.rstrip("/")


def _issuer(text: str) -> str | None:
    """Tokens are believed because of whom they were fetched from: over TLS, or on this machine."""
    if not text:
        return None
    parts = urlsplit(_http_url(text))
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError(f"{text!r} is not an https URL")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.:-]+", text):
        raise ValueError(f"{text!r} is not a mail address")
    return text


def _audit_retention(text: str) -> int:
    length_us = parse_duration(text)
    if length_us < parse_duration("90d"):
        raise ValueError("the audit log keeps its rows for 90d at least")
    return length_us


def _smtp(text: str) -> str | None:
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("not an smtp://host:port or smtps://user:pass@host URL")
    return text


def _heartbeat(text: str) -> str | None:
    """Not shown when it is wrong: the address of a watcher is a secret."""
    if text.startswith("mailto:"):
        return f"mailto:{_address(text.removeprefix('mailto:'))}"
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("neither mailto:address nor an http or https URL")
    return text or None


def _hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(host.strip().lower() for host in text.split(",") if host.strip())
    for host in hosts:
        if not _HOST.match(host):
            raise ValueError(f"{host!r} is not a host name")
    return hosts


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def _duration_or_zero(text: str) -> int:
    return 0 if text == "0s" else parse_duration(text)


def _ratio(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(f"{text!r} is not between 0 and 1")
    return value


def _choice(default: str, *others: str) -> tuple[str, Callable[[str], str]]:
    """The default and the rule of a setting that is one of a few words."""
    choices = (default, *others)

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}")
        return text

    return default, parse


def _stripe_secrets(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of slug and secret. Not shown when it is wrong."""
    found = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        slug, equals, secret = each.partition("=")
        if not equals or not slug or len(secret) < 16:
            raise ValueError("not <integration>=<signing secret>, with commas between several")
        found.append((slug, secret))
    return tuple(found)


def _file(text: str) -> Path | None:
    return Path(text).absolute() if text else None


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def _secret(text: str) -> str | None:
    if text and len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text or None
