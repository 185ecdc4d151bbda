"""The messages of a call as they go over the wire, to be read or to be kept."""

import re

from openivr.sip.address import Target, bracket

SECRETS = re.compile(rb'(?im)^((?:proxy-)?authorization:.*?\bresponse=")[^"]*')


def show(at: float, is_sent: bool, peer: Target, data: bytes) -> str:
    """Lay a message out; `at` is in seconds. Answers to challenges are left out: passwords can be guessed
    by them."""
    way = "to" if is_sent else "from"
    head = f"--- {at:.3f} s, {way} {bracket(peer.host)}:{peer.port}, {peer.protocol}"
    text = SECRETS.sub(rb"\1...", data).decode(errors="replace").replace("\r\n", "\n")
    return f"{head}\n{text.rstrip()}\n"
