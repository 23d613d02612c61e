"""/internal/metrics: what this process counts, as Prometheus text. No label names a person."""

from collections.abc import Iterator
from itertools import accumulate

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from hospital import meters
from hospital.access.guard import open_to_all

blueprint = Blueprint("prometheus", __name__)


class _Meters(Collector):
    def collect(self) -> Iterator[Metric]:
        families: dict[str, CounterMetricFamily] = {}
        for name, labels, value in meters.rows():
            family = families.setdefault(name, CounterMetricFamily(f"hospital_{name}", name, labels=list(labels)))
            family.add_metric(list(labels.values()), value)
        yield from families.values()
        for name, now in meters.gauges():
            if not now:
                continue
            gauge = GaugeMetricFamily(f"hospital_{name}", name, labels=list(now[0][0]))
            for labels, value in now:
                gauge.add_metric(list(labels.values()), value)
            yield gauge
        for name, histogram in meters.histograms():
            upper = [*map(str, histogram.bounds), "+Inf"]
            buckets = list(zip(upper, accumulate(histogram.within), strict=True))
            yield HistogramMetricFamily(f"hospital_{name}", name, buckets=buckets, sum_value=histogram.total)


_registry = CollectorRegistry()
_registry.register(_Meters())


@blueprint.get("/internal/metrics")
@open_to_all
def metrics() -> Response:
    return Response(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)
