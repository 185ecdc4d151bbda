"""What has to be done for registrations as time goes by: dropping those that are over, keeping NATs open."""

import asyncio

from openivr.sip.access.access_control import AccessControl
from openivr.sip.agent import Agent
from openivr.sip.message.message import Response
from openivr.sip.termination import FailureReason

INTERVAL_SECONDS = 1.0  # seconds


class BindingKeepalive:
    """Looks after a door's registrations, once a second."""

    def __init__(self, agent: Agent, door: AccessControl) -> None:
        self._agent = agent
        self._door = door
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._turn)

    def _turn(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._turn)
        self._door.expire()
        for binding in self._door.ping():
            # OPTIONS, because the phone's answer is what opens a NAT for sure (RFC 4787, REQ-6)
            self._agent.request("OPTIONS", binding.contact, _ignore, target=binding.target)

    def close(self) -> None:
        """Stop."""
        self._timer.cancel()


def _ignore(reply: Response | FailureReason) -> None:
    """The answer says nothing that is needed."""
