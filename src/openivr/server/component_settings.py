"""Settings of media and SIP, from those of the calls process."""

from collections.abc import Callable
from pathlib import Path

from openivr.config.settings import MIN_RTP_TIMEOUT, CallSettings, Settings
from openivr.media.inactivity import InactivityLimits
from openivr.media.media import MediaSettings
from openivr.media.rtp.ports import Interface
from openivr.sip.settings import AgentSettings


def make_recording_folder(settings: Settings) -> Path:
    """Return the folder for call recordings. Make it if all calls are recorded."""
    if settings.calls.records:
        settings.recordings.mkdir(exist_ok=True, mode=0o700)
    return settings.recordings


def media_settings(calls: CallSettings) -> MediaSettings:
    """Open RTP on the hosts on which SIP listens."""
    external = {":" in address: address for address in calls.external}
    hosts = dict.fromkeys(at.host for at in (*calls.sip, *calls.sip_tls))
    return MediaSettings(
        interfaces=tuple(Interface(host, external.get(":" in host, "")) for host in hosts),
        ports=calls.rtp_ports,
        inactivity=InactivityLimits(calls.rtp_timeout, MIN_RTP_TIMEOUT, calls.rtp_timeout_menu),
    )


def sip_settings(calls: CallSettings, before_send: Callable[[], None]) -> AgentSettings:
    """Make the agent's settings. `before_send` writes the journal, so that a sent message is in it."""
    return AgentSettings(
        external=calls.external,
        certificate=str(calls.tls_cert or ""),
        key=str(calls.tls_key or ""),
        before_send=before_send,
    )
