"""Providers, readers and exporters of one process."""

import os
import socket
from dataclasses import dataclass

from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

_INSTANCE = "service.instance.id"


@dataclass(frozen=True, slots=True)
class _Process:
    """What `configure` built; at most one per process."""

    process: str
    registry: CollectorRegistry
    exporting: bool


_configured: list[_Process] = []


def configure(process: str) -> None:
    """Begin to keep metrics (and, with an endpoint, traces) of this process; once is enough.

    `process` (`web`, `loader`) becomes `service.name` midspan-<process>. Each process is an
    instance of its own, so two web workers never overwrite each other's counts.
    """
    if _configured:
        return
    # Not a setting of Midspan: the variable belongs to the SDK, which reads the value itself.
    exporting = bool(os.environ.get(OTEL_EXPORTER_OTLP_ENDPOINT))  # noqa: TID251
    state = _Process(process, CollectorRegistry(), exporting)
    _configured.append(state)
    resource = _resource(f"midspan-{process}", f"{process}@{socket.gethostname()}:{os.getpid()}")
    metrics.set_meter_provider(meter_provider(resource))
    if exporting:
        trace.set_tracer_provider(_tracer_provider(resource))


def meter_provider(resource: Resource) -> MeterProvider:
    """A provider whose metrics `exposition` shows, and OTLP gets if it is set."""
    state = _configured[0]
    readers: list[MetricReader] = [
        PrometheusMetricReader(
            disable_target_info=True,
            scope_info_enabled=False,
            resource_attribute_filter=lambda name: name == _INSTANCE,
            registry=state.registry,
        )
    ]
    if state.exporting:
        readers.append(_otlp_reader())
    return MeterProvider(readers, resource)


def home_resource(home: str) -> Resource:
    """The identity of what is read from files in a home: the same from whichever process."""
    return _resource("midspan", home)


def exposition(accept: str) -> tuple[bytes, str]:
    """The metrics in the Prometheus format that `accept` prefers, and its content type."""
    encode, content_type = choose_encoder(accept)
    if not _configured:
        return b"", content_type
    return encode(_configured[0].registry), content_type


def _resource(service: str, instance: str) -> Resource:
    return Resource.create({"service.name": service, _INSTANCE: instance})


def _otlp_reader() -> MetricReader:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return PeriodicExportingMetricReader(OTLPMetricExporter())


def _tracer_provider(resource: Resource) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
