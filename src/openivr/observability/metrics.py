"""What an HTTP worker tells about itself: metrics and the access log.

Counting a request costs well under a microsecond: counters are slots in memory that all workers share, and
log lines are gathered and written by a thread. Queries are not logged at all, for tokens travel in them.
"""

import mmap
import os
import re
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from openivr.observability.logs import MOST_LINES, MOST_VECTORS, write_lines

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)  # seconds
NO_PATH = re.compile("[?&;=]")  # what a program that encodes its address wrongly puts a token behind

log = structlog.get_logger(__name__)


class Tally(Collector):
    """Requests by endpoint and errcode, and their latency, summed over all workers.

    The counters are 64-bit slots in one shared file of memory per worker: a worker adds to its own, and
    whoever is asked for metrics adds up everybody's.
    """

    def __init__(self, endpoints: Iterable[str], codes: Iterable[int], path: Path, worker: int) -> None:
        self.endpoints, self.codes = sorted(endpoints), sorted(codes)
        self.width = len(self.codes) + len(BUCKETS) + 2  # one more bucket, and the sum in microseconds
        self.base = {name: at * self.width for at, name in enumerate(self.endpoints)}
        self.code_at = {code: at for at, code in enumerate(self.codes)}
        self.path = path
        self.slots = self.open(path / f"metrics-{worker}", create=True)

    def open(self, path: Path, *, create: bool = False) -> memoryview:
        size = 8 * self.width * len(self.endpoints)
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_TRUNC if create else 0), 0o600)
        try:
            if create:
                os.ftruncate(descriptor, size)
            return memoryview(mmap.mmap(descriptor, size)).cast("Q")
        finally:
            os.close(descriptor)

    def add(self, endpoint: str, code: int, seconds: float) -> None:
        """Count one request."""
        base, slots = self.base[endpoint], self.slots
        slots[base + self.code_at[code]] += 1
        latency = base + len(self.codes)
        slots[latency + bisect_left(BUCKETS, seconds)] += 1
        slots[base + self.width - 1] += int(seconds * 1e6)

    def totals(self) -> Sequence[int]:
        """The sum of all workers' slots."""
        everybody = [self.open(path) for path in sorted(self.path.glob("metrics-*"))]
        return [sum(column) for column in zip(*everybody, strict=True)]

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        requests = CounterMetricFamily(
            "openivr_requests", "API requests answered", labels=("endpoint", "errcode")
        )
        latency = HistogramMetricFamily(
            "openivr_request_seconds", "Time to answer an API request", labels=("endpoint",)
        )
        totals = self.totals()
        for endpoint, base in self.base.items():
            counts = totals[base : base + len(self.codes)]
            for code, count in zip(self.codes, counts, strict=True):
                if count:
                    requests.add_metric((endpoint, str(code)), count)
            if any(counts):
                own = totals[base + len(self.codes) : base + self.width]
                latency.add_metric((endpoint,), list(cumulate(own[:-1])), own[-1] / 1e6)
        yield requests
        yield latency


def cumulate(counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    """Prometheus buckets count everything up to their bound."""
    total = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        yield bound, total


@dataclass(frozen=True, slots=True)
class Sample:
    """A number for the metrics, or one for each value of a label."""

    help: str
    value: float | Mapping[str, float]
    label: str = ""
    is_counter: bool = False  # it only ever grows

    def family(self, name: str) -> Metric:
        """It, as the Prometheus client wants it."""
        kind = CounterMetricFamily if self.is_counter else GaugeMetricFamily
        if not isinstance(self.value, Mapping):
            return kind(name, self.help, value=self.value)
        family = kind(name, self.help, labels=(self.label,))
        for label, value in self.value.items():
            family.add_metric((label,), value)
        return family


class MetricsReader(Collector):
    def __init__(self, figures: Mapping[str, Sample]) -> None:
        self.figures = figures

    def collect(self) -> Iterator[Metric]:
        for name, figure in self.figures.items():
            yield figure.family(name)


def render_metrics(tally: Tally, figures: Mapping[str, Sample]) -> bytes:
    """The Prometheus text format of the requests and of further figures by name."""
    registry = CollectorRegistry()
    registry.register(tally)
    registry.register(MetricsReader(figures))
    return generate_latest(registry)


class AccessLog:
    """One JSON line a request, written in batches by a thread so that a slow disk delays nobody."""

    def __init__(self, descriptor: int = 2) -> None:
        self.descriptor = descriptor
        self.lines: list[bytes] = []
        self.dropped = 0
        self.stamp = timestamp()
        self.thread = ThreadPoolExecutor(1, "log")

    def add(self, line: "RequestLine", code: int, seconds: float) -> None:
        if len(self.lines) >= MOST_LINES:
            self.dropped += 1
            return
        result = (self.stamp, line.text, code, seconds * 1000)
        self.lines.append(b'{"time":"%b",%b"errcode":%d,"ms":%.3f}\n' % result)

    def flush(self) -> None:
        """Hand what was gathered to the thread; called by a timer and at the end."""
        self.stamp = timestamp()
        if self.dropped:
            log.warning("lines of the access log were dropped", count=self.dropped)
            self.dropped = 0
        if self.lines:
            lines, self.lines = self.lines, []
            self.thread.submit(self.write, lines)

    def write(self, lines: list[bytes]) -> None:
        for start in range(0, len(lines), MOST_VECTORS):
            write_lines(self.descriptor, lines[start : start + MOST_VECTORS])

    def close(self) -> None:
        self.flush()
        self.thread.shutdown()


@dataclass(frozen=True, slots=True)
class RequestLine:
    """The part of a log line that is known before the answer, as JSON text."""

    text: bytes

    @classmethod
    def of(cls, method: str, path: str, address: str) -> "RequestLine":
        fields = {
            "level": "info",
            "event": "request",
            "method": method,
            "path": NO_PATH.split(path, maxsplit=1)[0][:200],
            "address": address,
        }
        return cls(msgspec.json.encode(fields)[1:-1] + b",")


def timestamp() -> bytes:
    """The time in UTC with milliseconds, as in every other log line."""
    text = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.encode()


class Observer:
    """Counts and logs the requests of one worker."""

    def __init__(self, tally: Tally, log: AccessLog | None) -> None:
        self.tally, self.log = tally, log

    def note(self, endpoint: str, line: RequestLine, code: int, seconds: float) -> None:
        """One request was answered. `endpoint` is "other" where there is none."""
        self.tally.add(endpoint, code, seconds)
        if self.log is not None:
            self.log.add(line, code, seconds)
