"""Reads the forms of a page, as a browser without script would send them."""

from html.parser import HTMLParser


class Form(HTMLParser):
    """The fields of the form with this id or, without one, of every form on the page."""

    def __init__(self, page: bytes, ident: str = "") -> None:
        super().__init__()
        self.ident, self.fields = ident, list[tuple[str, str]]()
        self.is_inside = not ident
        self.select, self.has_option = "", False  # the one that is being read, and if it is in `fields`
        self.buttons: list[tuple[str, str]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and self.ident:
            self.is_inside = given.get("id") == self.ident
        name = given.get("name")
        if tag == "option" and self.select and ("selected" in given or not self.has_option):
            self.fields = self.fields[:-1] if self.has_option else self.fields
            self.fields.append((self.select, given.get("value") or ""))
            self.has_option = True
        if not self.is_inside or not name:
            return
        if tag == "input" and (given.get("type") not in {"radio", "checkbox"} or "checked" in given):
            self.fields.append((name, given.get("value") or ""))
        if tag == "select":
            self.select, self.has_option = name, False
        if tag == "button":
            self.buttons.append((name, given.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""

    def changed(self, **changes: str | list[str]) -> list[tuple[str, str]]:
        """The fields with others in the place of those of the same name; `__` stands for a dot."""
        named = {name.replace("__", "."): value for name, value in changes.items()}
        kept = [(name, value) for name, value in self.fields if name not in named and name != "csrf"]
        for name, value in named.items():
            kept += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return kept
