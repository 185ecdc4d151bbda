"""Periodic work for registrations: removes expired bindings and keeps NAT mappings open."""

import asyncio

from openivr.sip.agent import Agent
from openivr.sip.message.message import Response
from openivr.sip.registrar.registrar_service import RegistrarService
from openivr.sip.termination import FailureReason

INTERVAL_SECONDS = 1.0


class BindingKeepalive:
    """Expires bindings once a second and sends OPTIONS to those behind NAT when they are due."""

    def __init__(self, agent: Agent, registrar: RegistrarService) -> None:
        self._agent = agent
        self._registrar = registrar
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._on_timer)
        self._registrar.expire()
        for binding in self._registrar.due_for_keepalive():
            # OPTIONS rather than an empty line: the phone's own response refreshes any NAT (RFC 4787, REQ-6)
            self._agent.request("OPTIONS", binding.contact, _ignore, target=binding.target)

    def close(self) -> None:
        """Stop the timer."""
        self._timer.cancel()


def _ignore(response: Response | FailureReason) -> None:
    """Discard the outcome: sending and receiving was the purpose."""
