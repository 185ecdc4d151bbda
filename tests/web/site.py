"""A browser without a screen: sends forms to the web admin and keeps its cookies."""

import re
from collections.abc import Iterable, Mapping
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from tests.live_server import Answer, Api, Running

PASSWORD = "a passphrase of the tests"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
Fields = Mapping[str, object] | Iterable[tuple[str, object]]


class Admin:
    """Somebody with a browser at one server. Redirects are not followed: tests look at them."""

    def __init__(self, running: Running) -> None:
        self.running, self.cookies = running, dict[str, str]()
        self.connection = Api(running.address)
        self.csrf = ""

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request with the cookies so far, as a browser on a page of this server sends it."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        own = {"User-Agent": "tests", "Origin": self.running.base} | ({"Cookie": cookies} if cookies else {})
        answer = self.connection.send(method, path, body, own | dict(headers or {}))
        for line in answer.headers.get("set-cookie", "").splitlines():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        found = TOKEN.search(answer.content.decode("utf-8", "replace"))
        if found:
            self.csrf = found.group(1)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, headers)

    def post(self, path: str, fields: Fields = (), **headers: str) -> Answer:
        """A form with the token of the last page."""
        pairs = [*(fields.items() if isinstance(fields, Mapping) else fields)]
        body = urlencode([("csrf", self.csrf), *pairs]).encode()
        content = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, body, content | headers)

    def sign_in(self, password: str, name: str = "admin") -> Answer:
        return self.post("/sign-in", {"name": name, "password": password})

    def enter(self) -> "Admin":
        """Sign in; the first time with the password that was printed, which is changed."""
        if where(self.sign_in(PASSWORD)) != "/":
            assert where(self.sign_in(self.running.password)) == "/"
            self.get("/password")
            fields = {"old": self.running.password, "new": PASSWORD, "again": PASSWORD}
            assert where(self.post("/password", fields)) == "/"
        self.get("/password")  # its form has the session's token
        return self

    def close(self) -> None:
        self.connection.close()


def where(answer: Answer) -> str:
    """Where an answer sends the browser, "" where it does not."""
    return urlsplit(answer.headers.get("location", "")).path if answer.status in {302, 303} else ""
