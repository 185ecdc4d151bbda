"""Runs Asterisk with the same menu, for comparison in the same run.

`--asterisk` is a directory with an installed system that includes Asterisk (for chroot, needs root), the
program itself, or HOST:PORT of a running one with the numbers of `DIALPLAN`.

To make a directory with Asterisk 22 on a Debian without it:

    debootstrap --variant=minbase --include=ca-certificates sid DIR MIRROR
    printf '#!/bin/sh\nexit 101\n' > DIR/usr/sbin/policy-rc.d && chmod +x DIR/usr/sbin/policy-rc.d
    mount --bind /proc DIR/proc && mount --bind /dev DIR/dev
    chroot DIR apt-get install --no-install-recommends asterisk
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import soundfile

from bench.machine import SERVER_CORE, free_port
from bench.office import CALLEE, FIRST_SOURCE, LOUD, MENU, SOFT, square_wave, wait_for_sip

# The menu repeats a prompt and goes to another menu and back on key 1. Only what this needs is loaded.
DIALPLAN = """
[bench]
exten => {menu},1,Answer()
 same => n,Goto(menu,s,1)
exten => {callee},1,Dial(PJSIP/bench/sip:{callee}@{source}:{phone})

[menu]
exten => s,1(again),Background({folder}/loud)
 same => n,Goto(again)
exten => 1,1,Goto(other,s,1)

[other]
exten => s,1(again),Background({folder}/soft)
 same => n,Goto(again)
exten => 1,1,Goto(menu,s,1)
"""
MODULES = """
bridge_simple bridge_native_rtp chan_pjsip codec_ulaw format_pcm app_dial pbx_config res_pjproject res_pjsip
res_pjsip_caller_id res_pjsip_endpoint_identifier_ip res_pjsip_pubsub res_pjsip_sdp_rtp res_pjsip_session
res_rtp_asterisk res_sorcery_astdb res_sorcery_config res_sorcery_memory res_timing_timerfd
"""
FILES = {
    "asterisk.conf": "[directories]\nastetcdir={folder}\nastdbdir={folder}\nastrundir={folder}\n"
    "astlogdir={folder}\nastspooldir={folder}\n",
    "modules.conf": "[modules]\nautoload=no\n{modules}\n",
    "logger.conf": "[general]\n[logfiles]\nmessages => error\n",
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=30000\nicesupport=no\n",
    "pjsip.conf": "[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{port}\n"
    "[bench]\ntype=endpoint\ncontext=bench\ndisallow=all\nallow=ulaw\ndirect_media=no\naors=bench\n"
    "media_address=127.0.0.1\nbind_rtp_to_media_address=yes\n"
    "[bench]\ntype=aor\ncontact=sip:bench@{source}:{phone}\n"
    "[bench]\ntype=identify\nendpoint=bench\nmatch=127.0.0.0/8\n",
    "extensions.conf": DIALPLAN,
}


@contextmanager
def asterisk(where: str, phone: int) -> Iterator[tuple[str, int]]:
    """Run Asterisk on the server's core. Yield its address, and its process id or 0 if it ran already.

    `phone` is the SIP port of the callers.
    """
    if re.fullmatch(r"[\d.]+:\d+", where):
        yield where, 0
        return
    root = where if Path(where).is_dir() else ""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="openivr-bench-", dir=f"{root}/tmp"))
    inside = f"/{folder.relative_to(root or '/')}"
    try:
        write_files(folder, inside, port, phone)
        program = ["chroot", root, "asterisk"] if root else [where]
        # Asterisk gives up a real-time priority that it is started with, unless told to keep it.
        priority = ["-p"] if os.sched_getscheduler(0) != os.SCHED_OTHER else []
        command = ["taskset", "-c", SERVER_CORE, *program, "-f", *priority, "-C", f"{inside}/asterisk.conf"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_sip(port, process)
            yield f"127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(folder)


def write_files(folder: Path, inside: str, port: int, phone: int) -> None:
    os.chmod(folder, 0o755)
    modules = "\n".join(f"load={name}.so" for name in MODULES.split())
    for name, text in FILES.items():
        values = {"folder": inside, "port": port, "phone": phone, "modules": modules}
        (folder / name).write_text(text.format(**values, menu=MENU, callee=CALLEE, source=FIRST_SOURCE))
    for name, amplitude in (("loud", LOUD), ("soft", SOFT)):
        path = folder / f"{name}.ulaw"
        soundfile.write(path, square_wave(amplitude), 8000, format="RAW", subtype="ULAW")
