"""Metrics and the access log of HTTP workers.

Counting a request takes well under a microsecond, because counters are slots in shared memory and a thread
writes the log lines. Query strings are never logged, because they hold tokens.
"""

import mmap
import re
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from openivr.observability.logs import MAX_LINES, Output, output

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)  # seconds
NO_PATH = re.compile("[?&;=]")  # a client that encodes its URL wrongly may put a token after these

log = structlog.get_logger(__name__)


WORKER_BYTES = 2**18  # for the counters of one worker; pages that are not used cost nothing


def allocate_counters(workers: int) -> mmap.mmap:
    """Allocate the counters of all workers, in memory that processes forked later share.

    They are in no file: a page of a sparse file that is written while the disk is full kills the process.
    """
    return mmap.mmap(-1, workers * WORKER_BYTES)


class Tally(Collector):
    """Counts requests by endpoint and errcode, and their latency, over all workers.

    The counters are 64-bit slots in shared memory (see `allocate_counters`). A worker writes to its own part,
    and a worker that renders metrics adds up all parts.
    """

    def __init__(
        self, endpoints: Iterable[str], codes: Iterable[int], counters: mmap.mmap, worker: int
    ) -> None:
        self.endpoints, self.codes = sorted(endpoints), sorted(codes)
        self.width = len(self.codes) + len(BUCKETS) + 2  # one more bucket, and the sum in microseconds
        self.base = {name: at * self.width for at, name in enumerate(self.endpoints)}
        self.code_at = {code: at for at, code in enumerate(self.codes)}
        count, room = self.width * len(self.endpoints), WORKER_BYTES // 8
        if count > room:
            raise ValueError(f"{count} counters do not fit into {WORKER_BYTES} bytes")
        slots = memoryview(counters).cast("Q")
        self.workers = [slots[start : start + count] for start in range(0, len(slots), room)]
        self.slots = self.workers[worker]

    def add(self, endpoint: str, code: int, seconds: float) -> None:
        """Count one request."""
        base, slots = self.base[endpoint], self.slots
        slots[base + self.code_at[code]] += 1
        latency = base + len(self.codes)
        slots[latency + bisect_left(BUCKETS, seconds)] += 1
        slots[base + self.width - 1] += int(seconds * 1e6)

    def totals(self) -> Sequence[int]:
        """Return the sums of all workers' slots."""
        return [sum(column) for column in zip(*self.workers, strict=True)]

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
                slots = totals[base + len(self.codes) : base + self.width]
                latency.add_metric((endpoint,), list(cumulate(slots[:-1])), slots[-1] / 1e6)
        yield requests
        yield latency


def cumulate(counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    """Yield the cumulative buckets of Prometheus, with their upper bounds."""
    total = 0
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
        total += count
        yield bound, total


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a metric, or a value for each value of a label."""

    help: str
    value: float | Mapping[str, float]
    label: str = ""
    is_counter: bool = False  # monotonic

    def family(self, name: str) -> Metric:
        """Convert to the Prometheus client's type."""
        kind = CounterMetricFamily if self.is_counter else GaugeMetricFamily
        if not isinstance(self.value, Mapping):
            return kind(name, self.help, value=self.value)
        family = kind(name, self.help, labels=(self.label,))
        for label, value in self.value.items():
            family.add_metric((label,), value)
        return family


class MetricsReader(Collector):
    """Collects samples that were read before."""

    def __init__(self, samples: Mapping[str, Sample]) -> None:
        self.samples = samples

    def collect(self) -> Iterator[Metric]:
        for name, sample in self.samples.items():
            yield sample.family(name)


def render_metrics(tally: Tally, samples: Mapping[str, Sample]) -> bytes:
    """Render the request counters and further samples in the Prometheus text format."""
    registry = CollectorRegistry()
    registry.register(tally)
    registry.register(MetricsReader(samples))
    return generate_latest(registry)


class AccessLog:
    """Logs a line of JSON a request. `flush` passes them to the log, whose thread writes them in batches."""

    def __init__(self, output: Output = output) -> None:
        self.output = output
        self.lines: list[bytes] = []
        self.dropped = 0
        self.stamp = timestamp()

    def add(self, line: "RequestLine", code: int, seconds: float) -> None:
        if len(self.lines) >= MAX_LINES:
            self.dropped += 1
            return
        result = (self.stamp, line.text, code, seconds * 1000)
        self.lines.append(b'{"time":"%b",%b"errcode":%d,"ms":%.3f}\n' % result)

    def flush(self) -> None:
        """Pass the lines so far to the log. Called by a timer and at the end."""
        self.stamp = timestamp()
        if self.dropped:
            log.warning("access log lines were dropped", count=self.dropped)
            self.dropped = 0
        if self.lines:
            lines, self.lines = self.lines, []
            self.output.extend(lines)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """The part of a log line that is known before the response, as JSON text."""

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
    """Return the UTC time with milliseconds, as in all log lines."""
    text = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.encode()


class Observer:
    """Counts and logs the requests of one worker."""

    def __init__(self, tally: Tally, log: AccessLog | None) -> None:
        self.tally, self.log = tally, log

    def note(self, endpoint: str, line: RequestLine, code: int, seconds: float) -> None:
        """Count and log a request. `endpoint` is "other" if no endpoint matched."""
        self.tally.add(endpoint, code, seconds)
        if self.log is not None:
            self.log.add(line, code, seconds)
