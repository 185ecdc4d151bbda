"""Tokens that processes share."""

import fcntl
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from openivr.client import AccountIpBlocked, UnsafeFile
from openivr.client.session import Pair, Saved
from openivr.client.tokenfile import hold

from .conftest import Asked, Connect, OddServer, Pbx

PROGRAM = """
import sys
from openivr.client import BlockingClient
with BlockingClient(*sys.argv[1:4], token_file=sys.argv[4]) as client:
    print(len(client.ivr.list().data))
"""


def test_processes_share_one_login(pbx: Pbx, tmp_path: Path) -> None:
    """Ten processes at once, where eight tokens are the limit."""
    path = tmp_path / "tokens"
    command = [sys.executable, "-c", PROGRAM, pbx.url, *pbx.account, str(path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(10)]
    assert [process.communicate(timeout=30)[0] for process in running] == ["4\n"] * 10
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tokens.lock").stat().st_mode) == 0o600
    with pbx.client(token_file=path) as client:
        client.log_out()
    assert "access" not in path.read_text()


def test_a_later_client_does_not_log_in(odd: OddServer, connect: Connect, tmp_path: Path) -> None:
    for _ in range(3):
        driven = connect(odd.url, token_file=tmp_path / "tokens")
        driven.do(lambda client: client.ivr.list())
        driven.do(lambda client: client.close())
    assert (odd.count("get_token"), odd.count("del_token")) == (1, 0)


def test_a_token_that_another_process_renewed_is_taken(
    odd: OddServer, connect: Connect, tmp_path: Path
) -> None:
    first = connect(odd.url, token_file=tmp_path / "tokens")
    second = connect(odd.url, token_file=tmp_path / "tokens")
    for driven in (first, second):
        driven.do(lambda client: client.ivr.list())
    odd.good.clear()
    for driven in (first, second):
        driven.do(lambda client: client.ivr.list())
    assert (odd.count("get_token"), odd.count("refresh_token")) == (1, 1)


def test_a_lock_out_is_told_to_other_processes(odd: OddServer, connect: Connect, tmp_path: Path) -> None:
    def behave(asked: Asked) -> Any:
        blocked = {"errcode": 70004, "errmsg": "ACCOUNT IP BLOCKED", "block_expire_time": time.time() + 100}
        return blocked if asked.path == "get_token" else None

    odd.behave = behave
    for _ in range(2):
        with pytest.raises(AccountIpBlocked):
            connect(odd.url, token_file=tmp_path / "tokens").do(lambda client: client.ivr.list())
    assert len(odd.asked) == 1


def test_tokens_of_another_account_are_not_used(odd: OddServer, connect: Connect, tmp_path: Path) -> None:
    for name in ("one", "two"):
        driven = connect(odd.url, account=(name, "secret"), token_file=tmp_path / "tokens")
        driven.do(lambda client: client.ivr.list())
    assert odd.count("get_token") == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"server": 1}'])
def test_a_broken_file_is_replaced(odd: OddServer, connect: Connect, tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens"
    path.touch(0o600)
    path.write_text(content)
    connect(odd.url, token_file=path).do(lambda client: client.ivr.list())
    assert json.loads(path.read_text())["saved"]["pair"]["access"].startswith("token-")


def test_a_file_that_others_may_read_is_refused(odd: OddServer, connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("{}")
    path.chmod(0o644)
    with pytest.raises(UnsafeFile, match="chmod 600"):
        connect(odd.url, token_file=path).do(lambda client: client.ivr.list())
    assert odd.asked == []


def test_the_lock_keeps_others_out_until_it_is_released(tmp_path: Path) -> None:
    held = hold(tmp_path / "tokens", "server", "id")
    with (tmp_path / "tokens.lock").open("rb") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.release()
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_link_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch(0o600)
    (tmp_path / "tokens").symlink_to(target)
    held = hold(tmp_path / "tokens", "server", "id")
    with pytest.raises(UnsafeFile):
        held.load()
    held.release()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match="no folder"):
        hold(tmp_path / "none" / "tokens", "server", "id")


def test_the_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        held = hold(tmp_path / "tokens", "server", "id")
        held.save(Saved(pair=Pair(access="a", access_ends=2e9, renew_at=2e9)))
        held.release()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "tokens").stat().st_mode) == 0o600
