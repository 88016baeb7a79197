"""How the web process is served. Bound where the settings say; what cannot start says so in one
line, before any worker is made."""

import socket
import sys
from typing import Any

from app import logs
from app import settings as settings_module
from app.errors import MidspanError
from app.factory import check

_LOG_LEVELS = {"debug": "debug", "info": "warning", "warning": "warning", "error": "error"}


def _settings() -> settings_module.Settings:
    try:
        return settings_module.load()
    except MidspanError as error:
        sys.exit(f"midspan: {error}")


_SETTINGS = _settings()

bind = str(_SETTINGS.web_bind)
# Two processes because answers cost CPU, four threads each because some wait for a database.
worker_class = "gthread"
workers = 2
threads = 4
# Each worker loads the application itself: its telemetry threads would not survive a fork.
preload_app = False
# The control socket lets anybody who runs as this user stop the server, and wants a home.
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = _LOG_LEVELS[_SETTINGS.log_level]
timeout = 60
graceful_timeout = 5
keepalive = 5
# Nothing a caller sends may change what we take the scheme to be.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}


def on_starting(server: Any) -> None:
    """In the master, before it listens: one line and the end if this cannot work."""
    logs.configure("web", _SETTINGS.log_level, _SETTINGS.log_format)
    try:
        check(_SETTINGS)
    except MidspanError as error:
        sys.exit(f"midspan: {error}")
    # A master that replaces another one (USR2) is handed its sockets and must not try to bind.
    if not server.master_pid:
        for address in server.address:
            _refuse_taken(address)


def when_ready(server: Any) -> None:
    """Say where."""
    where = ", ".join(f"{host}:{port}" for host, port in server.address)
    logs.get("web").info("listening", address=where)


def _refuse_taken(address: Any) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(tuple(address[:2]))
        except OSError as error:
            where = f"{address[0]}:{address[1]}"
            sys.exit(f"midspan: cannot listen on {where}: {error.strerror}; set MIDSPAN_WEB_BIND")
