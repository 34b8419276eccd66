"""A network of one's own with nothing in it but loopback, and the proof that it is so."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

INSIDE = "NORMWRIGHT_ACCEPTANCE_ALONE"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
OUTSIDE = (("192.0.2.1", 443), ("2001:db8::1", 443))
"""Addresses that are documentation's and belong to nobody: with no route out, the kernel says at
once that they cannot be reached."""


def alone(arguments: Sequence[str]) -> int | None:
    """Run this program again without a network; None where the system does not allow it.

    The answer is the exit status of the run within.
    """
    if os.environ.get(INSIDE) or shutil.which("unshare") is None:
        return None
    prefix = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        return None
    environment = {**os.environ, INSIDE: "1"}
    command = [*prefix, sys.executable, "-m", "scripts.acceptance", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def loopback_up() -> None:
    """Switch on loopback, which a new network has switched off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        asked = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(s.fileno(), _SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(s.fileno(), _SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | _IFF_UP))


def nothing_outside() -> bool:
    """Say whether there is no way out: the kernel knows no route to any address."""
    for host, port in OUTSIDE:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(1)
            try:
                s.connect((host, port))
            except TimeoutError:
                return False
            except OSError:
                continue
            return False
    return True
