"""Kernel filter that drops audio without a listener, so that it does not wake this process.

Classic BPF on a UDP socket (Linux, socket(7), SO_ATTACH_FILTER), which needs no privilege. The program sees
the packet from its UDP header on, so the payload type, in RTP's second byte, is byte 9. It passes
telephone-events, RTCP on the same port, and 1 audio packet in 256. The kernel counts the packets it drops.
"""

import ctypes
import socket
import struct
import sys
from functools import cache

ATTACH, DETACH, MEMINFO = 26, 27, 55  # asm-generic/socket.h
DROPS = 8  # index in SK_MEMINFO (linux/sock_diag.h)
IS_POSSIBLE = sys.platform == "linux"

# linux/bpf_common.h and linux/filter.h
LOAD_BYTE, LOAD_WORD, AND = 0x30, 0x20, 0x54
IF_EQUAL, IF_NOT_LESS, RETURN = 0x15, 0x35, 0x06
RANDOM = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM
WHOLE = 0xFFFF


def program(events: int | None) -> list[tuple[int, int, int, int]]:
    """Return the instructions: code, jump if true, jump if false, operand."""
    no_type = 0xFF  # larger than any payload type
    return [
        (LOAD_BYTE, 0, 0, 9),
        (AND, 0, 0, 0x7F),
        (IF_EQUAL, 5, 0, no_type if events is None else events),
        (IF_NOT_LESS, 0, 1, 64),
        (IF_NOT_LESS, 0, 3, 96),
        (LOAD_WORD, 0, 0, RANDOM),
        (AND, 0, 0, 0xFF),
        (IF_EQUAL, 0, 1, 0),
        (RETURN, 0, 0, WHOLE),
        (RETURN, 0, 0, 0),
    ]


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


@cache  # few payload types serve many calls
def compiled(events: int | None) -> Program:
    """Return the program in the form that the kernel takes."""
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program(events))
    return Program(len(code) // 8, code)


def attach(sock: socket.socket, events: int | None) -> bool:
    """Filter this socket. Return True if the system can."""
    if not IS_POSSIBLE:
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, ATTACH, compiled(events))
    except OSError:
        return False
    return True


def detach(sock: socket.socket) -> None:
    """Let all packets pass again."""
    sock.setsockopt(socket.SOL_SOCKET, DETACH, 0)


def dropped(sock: socket.socket) -> int:
    """Return how many packets the kernel dropped on this socket, by the filter or because it was full."""
    if not IS_POSSIBLE:
        return 0
    try:
        info = sock.getsockopt(socket.SOL_SOCKET, MEMINFO, 4 * (DROPS + 1))
    except OSError:
        return 0
    return int.from_bytes(info[4 * DROPS : 4 * DROPS + 4], sys.byteorder) if len(info) > 4 * DROPS else 0
