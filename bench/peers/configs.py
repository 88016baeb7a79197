"""Configuration of the peers that are not Python, and of the upstream, as text."""

import os

#: One JSON line per request, with what Midspan records of it as far as nginx knows it.
_NGINX_LOG = (
    "log_format json escape=json '"
    '{"time":"$msec","method":"$request_method","uri":"$uri","status":"$status",'
    '"request_time":"$request_time","upstream_time":"$upstream_response_time",'
    '"request_bytes":"$request_length","body_bytes":"$body_bytes_sent"}'
    "';"
)


def upstream(folder: str, port: int) -> str:
    """nginx serving files of 500 B, 10 KiB and 1 MiB, and taking POSTs."""
    return _nginx(
        folder,
        f"access_log off; open_file_cache max=16; server {{ listen 127.0.0.1:{port} backlog=4096;"
        f" root {folder}; location / {{ }}"
        ' location /post { default_type text/plain; return 200 "taken"; } }',
    )


def nginx(folder: str, port: int, upstream_port: int) -> str:
    """nginx as a reverse proxy with keep-alive on both sides and a JSON access log."""
    return _nginx(
        folder,
        f"{_NGINX_LOG} access_log {folder}/access.log json;"
        f" upstream behind {{ server 127.0.0.1:{upstream_port}; keepalive 256;"
        " keepalive_requests 100000000; }"
        f" server {{ listen 127.0.0.1:{port} backlog=4096; client_max_body_size 0;"
        ' location / { proxy_http_version 1.1; proxy_set_header Connection "";'
        " proxy_pass http://behind; } }",
    )


def _nginx(folder: str, http: str) -> str:
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"{user} daemon off; worker_processes 1; pid {folder}/nginx.pid;"
        f" error_log {folder}/error.log; events {{ worker_connections 4096; }}"
        f" http {{ keepalive_requests 100000000; sendfile on; tcp_nopush on; {temporary} {http} }}"
    )


def haproxy(folder: str, port: int, upstream_port: int) -> str:
    """HAProxy with one thread and a JSON log line per request on its output."""
    return f"""
global
    nbthread 1
    log stdout format raw local0
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
    log-format '{{"t":"%Ts","m":"%HM","u":"%HP","s":"%ST","d":"%Ta","b":"%B"}}'
frontend before
    bind 127.0.0.1:{port}
    default_backend behind
backend behind
    server one 127.0.0.1:{upstream_port}
"""


def envoy(folder: str, port: int, upstream_port: int) -> str:
    """Envoy with a JSON access log; circuit breakers out of the way."""
    api = "type.googleapis.com/envoy.extensions"
    return f"""
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {api}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: bench
          generate_request_id: false
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": {api}.access_loggers.file.v3.FileAccessLog
              path: {folder}/access.log
              log_format:
                json_format:
                  time: "%START_TIME%"
                  method: "%REQ(:METHOD)%"
                  uri: "%REQ(:PATH)%"
                  status: "%RESPONSE_CODE%"
                  duration: "%DURATION%"
                  bytes: "%BYTES_SENT%"
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": {api}.filters.http.router.v3.Router
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: "/"}}, route: {{cluster: behind}}}}]
  clusters:
  - name: behind
    type: STATIC
    circuit_breakers: {{thresholds: [{{max_connections: 10000, max_pending_requests: 10000}}]}}
    load_assignment:
      cluster_name: behind
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream_port}}}}}
"""
