"""TLS towards upstreams: whom to trust, what to show, and what a failed handshake means.

An integration may bring its own authority and a client certificate as files on this machine. They
are read when a connection needs them and again when they have changed; a file that cannot be used
fails the connection with its name, and no other connection.
"""

import os
import ssl
from typing import NamedTuple

from collectors.proxy import errors
from collectors.proxy.resolve import DialError
from collectors.proxy.routes import Trust

# OpenSSL's X509_V_ERR_ numbers.
_CERTIFICATE_CODES = {
    9: errors.TLS_NOT_YET_VALID,
    10: errors.TLS_EXPIRED,
    62: errors.TLS_HOSTNAME,
    64: errors.TLS_HOSTNAME,
}
#: OpenSSL's reasons: alerts of the other side, and what it said instead of TLS.
_REASON_CODES = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": errors.TLS_CLIENT_CERT_REQUIRED,
    "TLSV1_ALERT_UNKNOWN_CA": errors.TLS_CLIENT_CERT_REFUSED,
    "TLSV1_ALERT_ACCESS_DENIED": errors.TLS_CLIENT_CERT_REFUSED,
    "SSLV3_ALERT_BAD_CERTIFICATE": errors.TLS_CLIENT_CERT_REFUSED,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": errors.TLS_CLIENT_CERT_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": errors.TLS_CLIENT_CERT_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": errors.TLS_CLIENT_CERT_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": errors.TLS_CLIENT_CERT_REFUSED,
    "TLSV1_UNRECOGNIZED_NAME": errors.TLS_HOSTNAME,
    "WRONG_VERSION_NUMBER": errors.TLS_NOT_SPOKEN,
    "HTTP_REQUEST": errors.TLS_NOT_SPOKEN,
    "UNKNOWN_PROTOCOL": errors.TLS_NOT_SPOKEN,
    "RECORD_LAYER_FAILURE": errors.TLS_NOT_SPOKEN,
    "UNSUPPORTED_PROTOCOL": errors.TLS_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": errors.TLS_VERSION,
}

_Stamp = tuple[int, int, int]


class _Read(NamedTuple):
    """What came of reading files as they were then: a context, or why there is none."""

    stamps: tuple[_Stamp | None, ...]
    context: ssl.SSLContext | None
    trouble: str


class Contexts:
    """A context for each set of files, read anew when one of them changes."""

    def __init__(self, machine: ssl.SSLContext | None = None) -> None:
        self._machine = machine or client_tls()
        self._read: dict[Trust, _Read] = {}

    def of(self, files: Trust) -> ssl.SSLContext:
        """The context for `files`, the machine's own if there are none; else `DialError`.

        Looks at the files each time, and blocks for as long as that takes.
        """
        if not any(files):
            return self._machine
        stamps = tuple(_stamp(path) for path in files)
        read = self._read.get(files)
        if read is None or read.stamps != stamps:
            read = self._read[files] = _read(files, stamps)
        if read.context is None:
            raise DialError(errors.TLS_FILES, read.trouble)
        return read.context


def client_tls(authority: str | None = None) -> ssl.SSLContext:
    """Verification against `authority`, else the machine's own (SSL_CERT_FILE moves them)."""
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # some Pythons leave it to the system
    context.set_alpn_protocols(["http/1.1"])
    return context


def handshake_error(error: OSError) -> DialError:
    """What a failed handshake means."""
    detail = getattr(error, "verify_message", "") or str(error) or type(error).__name__
    return DialError(_code(error), detail)


def unanswered(error: BaseException | None) -> str:
    """The code for a connection that ended before a byte of an answer.

    In TLS 1.3 the other side looks at a client certificate when the handshake is over here.
    """
    code = _REASON_CODES.get(_reason(error)) if isinstance(error, ssl.SSLError) else None
    late = code in (errors.TLS_CLIENT_CERT_REQUIRED, errors.TLS_CLIENT_CERT_REFUSED)
    return code if code and late else errors.RESET_BEFORE_ANSWER


def _code(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_CODES.get(error.verify_code, errors.TLS_UNTRUSTED)
    if isinstance(error, ConnectionError | ssl.SSLEOFError):
        return errors.TLS_CLOSED
    if isinstance(error, ssl.SSLError):
        return _REASON_CODES.get(_reason(error), errors.TLS_FAILED)
    return errors.TLS_FAILED


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "reason", None) or ""


def _stamp(path: str | None) -> _Stamp | None:
    if path is None:
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(files: Trust, stamps: tuple[_Stamp | None, ...]) -> _Read:
    try:
        return _Read(stamps, _load(files), "")
    except _Unusable as error:
        return _Read(stamps, None, str(error))


class _Unusable(Exception):
    pass


def _load(files: Trust) -> ssl.SSLContext:
    for path in files:
        if path is not None and not os.path.isfile(path):
            raise _Unusable(f"{path}: no such file")
    try:
        context = client_tls(files.ca_file)
    except (OSError, ValueError) as error:
        raise _Unusable(f"{files.ca_file}: {why(error)}") from error
    if files.client_cert_file is not None:
        try:
            context.load_cert_chain(
                files.client_cert_file, files.client_key_file, password=no_password
            )
        except (OSError, ValueError) as error:
            both = f"{files.client_cert_file} with {files.client_key_file or 'itself as key'}"
            raise _Unusable(f"{both}: {why(error)}") from error
    return context


def no_password() -> str:
    """In place of a passphrase: without this, OpenSSL would ask for one on the terminal."""
    raise ValueError("the key is encrypted; store it without a passphrase")


def why(error: Exception) -> str:
    """What is wrong with a file, in a few words."""
    if isinstance(error, ssl.SSLError):
        return _reason(error) or str(error)
    return getattr(error, "strerror", None) or str(error)
