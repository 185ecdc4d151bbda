"""Pages of what a webhook did not accept, and the test of one."""

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.resources import KINDS
from openivr.store.config import resources
from openivr.store.events import webhook_queue
from openivr.store.events.webhook_queue import Delivery
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.core.urls import RESOURCE_URLS, resource_url
from openivr.web.forms.labels import event_label
from openivr.web.messages import t
from openivr.web.resources.hints import failure_words

KIND = KINDS["webhook"]
WHERE = "/settings"
PATH = RESOURCE_URLS[KIND.name].list + "/{id:int}"
MAX_SHOWN = 200


async def undelivered_page(request: PageRequest) -> Response:
    """The events that were given up, the newest first."""
    name, dead = await request.database.read(load_dead, request.path_id())
    rows = [(each, event_label(str(each.type)), failure_words(each.failure)) for each in dead]
    return request.render(
        "settings/undelivered.html",
        where=WHERE,
        id=request.path_id(),
        name=name,
        rows=rows[:MAX_SHOWN],
        most=MAX_SHOWN if len(rows) > MAX_SHOWN else 0,
    )


def load_dead(connection: Connection, id_: int) -> tuple[str, list[Delivery]]:
    """The name of a webhook and its dead deliveries. Raises NotFound."""
    name: str = resources.fetch(connection, KIND, id_)["name"]
    return name, webhook_queue.list_dead(connection, id_, MAX_SHOWN + 1)


async def change_dead(request: PageRequest) -> Response:
    """Send dead deliveries again or delete them: one, or all without a number."""
    text = request.form_text("delivery")
    ids = [int(text)] if text.isascii() and text.isdecimal() and len(text) < 10 else None
    if text and ids is None:
        return request.redirect(undelivered_url(request), [])
    is_delete = request.form_text("do") == "delete"
    work = webhook_queue.delete_dead if is_delete else webhook_queue.send_again
    count = await request.database.write(work, request.path_id(), ids)
    done = t("webhook.delete_done" if is_delete else "webhook.again_done", count=count)
    return request.redirect(undelivered_url(request), [done])


def undelivered_url(request: PageRequest) -> str:
    return f"{resource_url(KIND.name, request.path_id())}/undelivered"


async def send_test(request: PageRequest) -> Response:
    """Let a test wait for delivery, which is at once unless the receiver is down."""
    await request.database.write(webhook_queue.add_test, request.path_id())
    return request.redirect(resource_url(KIND.name, request.path_id()), [t("webhook.tried")])


ROUTES = (
    PageRoute(path=f"{PATH}/undelivered", handle=undelivered_page),
    PageRoute(path=f"{PATH}/undelivered", handle=change_dead, method="POST"),
    PageRoute(path=f"{PATH}/test", handle=send_test, method="POST"),
)
