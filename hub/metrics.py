"""`/metrics` for Prometheus: counted in the database at each scrape, so that all replicas say the same.

Beside Podium's own names it keeps the six that dashboards of CMBCluster ask for.
"""

import secrets
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import func
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.audit.model import Event
from hub.clock import now
from hub.environments.launching import count_live
from hub.environments.model import Start
from hub.errors import Silent
from hub.identity.model import LoginSession
from hub.services import Services
from hub.workspaces.model import Workspace


class _Figures(Collector):
    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        yield from self._of_rows()
        yield self._of_silence()
        yield from self._of_usage()

    def _of_rows(self) -> Iterator[Metric]:
        live = (col(LoginSession.ended_at).is_(None)) & (col(LoginSession.expires_at) > now())
        with self._services.database.reading() as session:
            phases = count_live(session)
            users = session.exec(select(func.count(func.distinct(LoginSession.user_id))).where(live)).one()
            starts = session.exec(select(func.count()).select_from(Start)).one()
            logins = session.exec(select(func.count()).select_from(Event).where(Event.act == "login")).one()
            storage = session.exec(select(func.coalesce(func.sum(Workspace.size), 0))).one()
        by_phase = GaugeMetricFamily("podium_environments", "Environments by phase", labels=["phase"])
        for phase, count in phases.items():
            by_phase.add_metric([phase], count)
        yield by_phase
        yield GaugeMetricFamily("cmbcluster_active_users", "People who are logged in", value=users)
        yield CounterMetricFamily("cmbcluster_pods_created_total", "Runs of environments since the first start", value=starts)
        yield CounterMetricFamily("cmbcluster_authentication_requests_total", "Logins since the first start", value=logins)
        yield GaugeMetricFamily("cmbcluster_storage_usage", "Bytes in workspaces, as last measured", value=float(storage or 0))

    def _of_silence(self) -> Metric:
        """Of the hub that answers: each watches for itself."""
        family = GaugeMetricFamily(
            "podium_cluster_silent_seconds", "For how long nothing is known of what a cluster runs", labels=["cluster"]
        )
        for cluster_id, seen in self._services.controller.observed.items():
            since = seen.silent_since
            family.add_metric([cluster_id], (now() - since).total_seconds() if since else 0)
        return family

    def _of_usage(self) -> Iterator[Metric]:
        try:
            samples = [sample for spawner in self._services.spawners.values() for sample in spawner.usage()]
        except Silent:
            return
        cpu = sum(sample.cpu_seconds or 0 for sample in samples)
        yield GaugeMetricFamily("cmbcluster_cpu_usage", "CPU seconds of the running environments since they started", value=cpu)
        yield GaugeMetricFamily(
            "cmbcluster_memory_usage",
            "Bytes of memory of the running environments",
            value=sum(sample.memory for sample in samples),
        )


class Metrics:
    """The route's handler. Without `METRICS_TOKEN` there is no such page; with it, only for who knows it."""

    def __init__(self, services: Services) -> None:
        self._token = services.settings.metrics_token
        self._registry = CollectorRegistry()
        self._registry.register(_Figures(services))

    async def answer(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not self._token or not secrets.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            return PlainTextResponse("Not found.\n", status_code=404)
        text = await run_in_threadpool(generate_latest, self._registry)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
