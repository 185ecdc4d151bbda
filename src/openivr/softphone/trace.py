"""Formats the SIP messages of a call for a trace."""

import re

from openivr.sip.address import Target, uri_host

SECRETS = re.compile(rb'(?im)^((?:proxy-)?authorization:.*?\bresponse=")[^"]*')


def show(at: float, is_sent: bool, peer: Target, data: bytes) -> str:
    """Format a message; `at` is in seconds. Digest responses are hidden: they allow offline guessing."""
    direction = "to" if is_sent else "from"
    head = f"--- {at:.3f} s, {direction} {uri_host(peer.host)}:{peer.port}, {peer.protocol}"
    text = SECRETS.sub(rb"\1...", data).decode(errors="replace").replace("\r\n", "\n")
    return f"{head}\n{text.rstrip()}\n"
