"""A throw-away certificate authority, made with openssl."""

import ssl
import subprocess
from functools import cache
from pathlib import Path


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


PAST = ("20200101000000Z", "20200201000000Z")
FUTURE = ("20900101000000Z", "20910101000000Z")


def make(
    folder: Path,
    name: str = "good",
    host: str = "127.0.0.1",
    *,
    valid: tuple[str, str] | None = None,
) -> None:
    """`<name>.pem` and `<name>.key` for `host`, signed by `ca.pem` (made with the first).

    `valid` from and to; None: now.
    """
    if not (folder / "ca.pem").exists():
        _authority(folder, "ca")
    kind = "IP" if host[0].isdigit() else "DNS"
    (folder / "ext").write_text(f"subjectAltName={kind}:{host}\n")
    openssl(
        folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}",
    )  # fmt: skip
    if valid is not None and not _knows_dates():
        _sign_for(folder, name, *valid)
        return
    days = ["-days", "2"] if valid is None else ["-not_before", valid[0], "-not_after", valid[1]]
    openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-CAcreateserial", "-out", f"{name}.pem", "-extfile", "ext", *days,
    )  # fmt: skip


def server(folder: Path, name: str = "good") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def client(folder: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "ca.pem") if folder else None)


def _authority(folder: Path, name: str) -> None:
    openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", "/CN=Test CA", "-days", "2",
    )  # fmt: skip


@cache
def _knows_dates() -> bool:
    found = subprocess.run(["openssl", "x509", "-help"], capture_output=True, check=False)
    return b"-not_after" in found.stderr + found.stdout


def _sign_for(folder: Path, name: str, begin: str, end: str) -> None:
    """The `ca` command takes dates in every version of openssl."""
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\n"
        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
    )
    openssl(
        folder, "ca", "-batch", "-config", "ca.cnf", "-in", f"{name}.csr", "-cert", "ca.pem",
        "-keyfile", "ca.key", "-out", f"{name}.pem", "-extfile", "ext", "-notext",
        "-startdate", begin, "-enddate", end,
    )  # fmt: skip
