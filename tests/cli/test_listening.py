"""The addresses that a server listens on for SIP: options, environment, file, and errors in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from openivr.cli import main, serve
from openivr.config.settings import CallSettings, ListenAddress

Run = Callable[..., tuple[Result, list[CallSettings]]]
EVERYWHERE = (ListenAddress("0.0.0.0", 5060), ListenAddress("::", 5060))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `serve` as far as its settings."""

    def invoke(*words: str, **environment: str) -> tuple[Result, list[CallSettings]]:
        made: list[CallSettings] = []

        def note(options: dict[str, Any], **_: bool) -> None:
            made.append(serve.read_settings(options).calls)

        monkeypatch.setattr(serve, "start", note)
        return CliRunner().invoke(main, words, env=environment), made

    return invoke


def test_it_listens_on_this_machine_alone_by_default(run: Run) -> None:
    _, (calls,) = run("serve")
    assert (calls.sip, calls.sip_tls, calls.external) == ((ListenAddress("127.0.0.1", 5060),), (), ())


def test_both_families_from_options_environment_and_file(run: Run, tmp_path: Path) -> None:
    _, (options,) = run("serve", "--sip", "0.0.0.0:5060", "--sip", "[0::0]:5060")
    _, (environment,) = run("serve", OPENIVR_SIP="0.0.0.0:5060 [::]:5060")
    file = tmp_path / "openivr.toml"
    file.write_text('sip = ["0.0.0.0:5060", "[::]:5060"]\n')
    _, (listed,) = run("--config", str(file), "serve")
    assert options.sip == environment.sip == listed.sip == EVERYWHERE
    file.write_text('sip = "[::]:5060"\nexternal_address = "2001:db8::1"\n')
    _, (single,) = run("--config", str(file), "serve")
    assert (single.sip, single.external) == (EVERYWHERE[1:], ("2001:db8::1",))


def test_addresses_are_written_as_others_write_them(run: Run) -> None:
    _, (calls,) = run("serve", "--sip", ":5062", "--sip", "[2001:DB8:0::1]:5060")
    assert [str(address) for address in calls.sip] == ["127.0.0.1:5062", "[2001:db8::1]:5060"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--sip", "0.0.0.0:5060", "--sip", "0.0.0.0:5060"), "there are two addresses of IPv4"),
        (("--sip", "[::]:5060", "--sip", "[::1]:5070"), "there are two addresses of IPv6"),
        (("--sip-tls", "10.0.0.1:5061", "--sip-tls", "10.0.0.2:5061"), "there are two addresses of IPv4"),
        (("--sip", "pbx.example.com:5060"), "'pbx.example.com' is not an IP address"),
        (("--sip", "10.0.0.256:5060"), "'10.0.0.256' is not an IP address"),
        (("--sip", "[fe80::1%eth0]:5060"), "'fe80::1%eth0' is not an IP address"),
        (("--sip", "::1:5060"), "an IPv6 address in brackets"),
        (("--sip", "2001:db8::1"), "an IPv6 address in brackets"),
        (("--sip", "[::1]"), "is not HOST:PORT"),
        (("--sip", "127.0.0.1"), "is not HOST:PORT"),
        (("--sip", "127.0.0.1:70000"), "is not HOST:PORT"),
        (("--external-address", "192.0.2.1", "--external-address", "192.0.2.2"), "two addresses of IPv4"),
        (("--external-address", "2001:db8::1"), "address of the same family"),
        (("--sip", "[::]:5060", "--external-address", "192.0.2.1"), "address of the same family"),
        (("--sip-tls", "[::]:5061"), "--sip-tls needs --sip-cert and --sip-key"),
    ],
)
def test_mistakes_are_reported_before_anything_starts(run: Run, words: tuple[str, ...], why: str) -> None:
    result, made = run("serve", *words)
    assert result.exit_code == 2
    assert not made
    assert why in " ".join(result.output.replace("│", " ").split())
