"""Settings for the phone of an extension: a panel to copy from, QR codes, and a configuration for Linphone.

A password is shown by the answer to the form that set it, and by nothing else. The QR code for Linphone has
the address of a configuration, which a phone may read for some minutes without signing in: it contains the
digest of the password, which is all that the server itself knows.
"""

import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from ipaddress import ip_address
from xml.etree import ElementTree

import segno
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from openivr.resources import KINDS
from openivr.resources.extension import DIGEST, REALM, full_name
from openivr.resources.resource_type import Values
from openivr.resources.secret import random_text
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction
from openivr.store.system import find_download_key, make_download_key
from openivr.web.core.request import PageRequest, PageRoute, ServerInfo
from openivr.web.core.urls import RESOURCE_URLS
from openivr.web.messages import t

EXTENSION = KINDS["extension"]
SECONDS = 900  # that the address of a configuration is good for
ADDRESS = re.compile(r"(\d{1,12})-(\d{1,12})-([0-9a-f]{32})", re.ASCII)
NAMESPACE = "http://www.linphone.org/xsds/lpconfig.xsd"
GENERATED_LENGTH = 20
MIXED = "aA1"  # end of a generated password, so that it has every sort of character that a rule may ask for
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - compared, not listened on
DEFAULT_PORT = 5060


@dataclass(frozen=True, slots=True)
class PhoneServer:
    """The address that a phone registers with. `is_local`: only this machine reaches it."""

    host: str
    port: int
    transport: str  # "UDP" or "TLS"
    is_local: bool = False

    @property
    def authority(self) -> str:
        """Host and port as a SIP URI has them (RFC 3261 section 25.1)."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PhoneSetup:
    """What the panel shows. `password` is "" unless it was set just now."""

    id: int
    label: str
    user: str
    server: PhoneServer
    password: str
    linphone: str  # URL of the configuration

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The settings, by the ends of their keys in the texts."""
        server = self.server
        rows = [("server", server.host), ("port", str(server.port)), ("transport", server.transport)]
        rows.append(("user", self.user))
        return [*rows, ("password", self.password)] if self.password else rows

    @property
    def linphone_code(self) -> Markup:
        return draw_code(self.linphone)

    @property
    def text_code(self) -> Markup:
        """The settings as lines of text, which any camera reads."""
        return draw_code("\n".join(f"{t('setup.' + name)}: {value}" for name, value in self.rows))


def draw_code(text: str) -> Markup:
    """A QR code (ISO/IEC 18004) as SVG, black on white in every colour scheme."""
    code = segno.make_qr(text, error="m")
    return Markup(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704 - of segno's making


def find_server(info: ServerInfo, asked: str) -> PhoneServer:
    """The address for phones. `asked` is the host that the browser uses, which counts if the server listens
    on all addresses. TLS is chosen if there is a name for its certificate.
    """
    name = asked.strip("[]")
    if info.listens_tls and not is_address(name) and not is_loopback(name):
        return PhoneServer(name, info.listens_tls[0][1], "TLS")
    host, port = info.listens[0] if info.listens else ("", DEFAULT_PORT)
    host = name if not host or host in WILDCARDS else host
    return PhoneServer(host, port, "UDP", is_loopback(host))


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    return ip_address(host).is_loopback if is_address(host) else host == "localhost"


async def make_setup(request: PageRequest, id_: int, password: str = "") -> PhoneSetup:
    """The settings of an extension's phone. Raises NotFound."""
    values = await request.database.read(resources.fetch, EXTENSION, id_)
    key = await request.database.read(find_download_key) or await request.database.write(make_download_key)
    expires = int(time.time()) + SECONDS
    mac = sign(key, id_, values, expires)
    return PhoneSetup(
        id=id_,
        label=f"{values['number']} {full_name(values)}".strip(),
        user=values["reg_name"],
        server=find_server(request.app.server, request.http.url.hostname or ""),
        password=password,
        linphone=f"{str(request.http.base_url).rstrip('/')}/provision/{id_}-{expires}-{mac}",
    )


def sign(key: str, id_: int, values: Values, expires: int) -> str:
    """The signature of an address. It ends with the password that the extension has now."""
    text = "/".join(("Phone", str(id_), values["reg_name"], values["reg_password"], str(expires)))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


async def show(request: PageRequest, id_: int, password: str = "") -> Response:
    """The panel, as the answer to the form that set a `password` or without it."""
    setup = await make_setup(request, id_, password)
    where = "/people"
    minutes = SECONDS // 60
    return request.render("objects/setup.html", where=where, setup=setup, path=path_of(id_), minutes=minutes)


def path_of(id_: int) -> str:
    return RESOURCE_URLS[EXTENSION.name].one.format(id=id_)


async def setup_page(request: PageRequest) -> Response:
    return await show(request, request.path_id())


async def renew_password(request: PageRequest) -> Response:
    """Generate a new password and show it."""
    password = make_password()
    await request.database.change_config(save_password, request.path_id(), password)
    return await show(request, request.path_id(), password)


def make_password() -> str:
    return random_text(GENERATED_LENGTH) + MIXED


def save_password(change: ConfigTransaction, id_: int, password: str) -> None:
    resources.update(change, EXTENSION, id_, {"reg_password": password})


async def send_configuration(request: PageRequest) -> Response:
    """The configuration of a signed address for Linphone, 404 for any other and for one that is too old."""
    match = ADDRESS.fullmatch(request.path_text("address"))
    if match is None or int(match[2]) < time.time():
        return Response(status_code=404)
    id_, expires = int(match[1]), int(match[2])
    key, values = await request.database.read(read_signed, id_)
    if not key or not hmac.compare_digest(sign(key, id_, values, expires), match[3]):
        return Response(status_code=404)
    server = find_server(request.app.server, request.http.url.hostname or "")
    return Response(write_configuration(values, server), media_type="application/xml")


def read_signed(connection: Connection, id_: int) -> tuple[str, Values]:
    return find_download_key(connection), resources.fetch(connection, EXTENSION, id_)


def write_configuration(values: Values, server: PhoneServer) -> bytes:
    """An account in the XML form of Linphone's remote provisioning."""
    user, name = values["reg_name"], full_name(values) or values["number"]
    sections: dict[str, dict[str, str]] = {
        "sip": {"default_proxy": "0"},
        "proxy_0": {
            "reg_identity": f'"{name}" <sip:{user}@{server.authority.rpartition(":")[0]}>',
            "reg_proxy": f"<sip:{server.authority};transport={server.transport.lower()}>",
            "reg_sendregister": "1",
            "realm": REALM,
        },
    }
    if re.fullmatch(DIGEST, values["reg_password"]):
        digests = dict(part.split("=", 1) for part in values["reg_password"].split())
        for at, (algorithm, form) in enumerate((("SHA-256", "sha256"), ("MD5", "md5"))):
            account = {"username": user, "realm": REALM, "ha1": digests[form], "algorithm": algorithm}
            sections[f"auth_info_{at}"] = account
    config = ElementTree.Element("config", xmlns=NAMESPACE)
    for name, entries in sections.items():
        section = ElementTree.SubElement(config, "section", name=name)
        for key, value in entries.items():
            ElementTree.SubElement(section, "entry", name=key, overwrite="true").text = value
    text: bytes = ElementTree.tostring(config, encoding="utf-8", xml_declaration=True)
    return text


ROUTES = (
    PageRoute(path="/people/extensions/{id:int}/setup", handle=setup_page),
    PageRoute(path="/people/extensions/{id:int}/setup", handle=renew_password, method="POST"),
    PageRoute(path="/provision/{address}", handle=send_configuration, is_open=True),
)
