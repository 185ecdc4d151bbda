"""Callers are named by the company contacts: on phones and in records, over real SIP."""

from pathlib import Path

from openivr.sip.message.message import Request
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import Phone
from tests.b2bua.test_cdr_rows import rows
from tests.b2bua.test_outbound import add_route, add_trunk
from tests.store.bodies import ivr

ADA = {
    "first_name": "Lady",
    "last_name": "Lovelace",
    "number_list": [{"num_type": "business_number", "number": "+44 20 7183 8750"}],
}


async def open_line(pbx: Pbx, kind: str, id_: int) -> Phone:
    """A provider in Britain whose calls go to a destination, with a contact that calls over it."""
    provider, trunk = await add_trunk(pbx, "One", country_code="44")
    line_list = [{"type": "trunk", "value": str(trunk)}]
    pbx.create("inbound_route", name="All", trunk_list=line_list, def_dest=kind, def_dest_value=str(id_))
    await pbx.process.config_cache.current()
    provider.user = "02071838750"
    return provider


def name_shown(invite: Request) -> str:
    (address,) = invite.addresses("from")
    return address.display


@in_loop
async def test_a_contact_is_named_on_the_phone_that_rings_and_in_the_record(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider = await open_line(pbx, "extension", 1)
        contact = pbx.create("company_contact", **ADA)
        await pbx.process.config_cache.current()
        phone = await pbx.phone("1000")
        named = []
        for change in ({}, {"last_name": "King"}):
            pbx.change("company_contact", contact, **change)
            await pbx.process.config_cache.current()
            line = provider.call("441632960000")
            await line.until_answered()
            named.append(name_shown(phone.invites[-1]))
            line.hang_up()
            await pbx.until_quiet()
        assert named == ["Lady Lovelace", "Lady King"]
        assert [record.caller_name for record in pbx.records()] == named
        assert [row["call_from"] for row in rows(pbx)] == [f"{name}<02071838750>" for name in named]
        assert rows(pbx)[0]["call_from_name"] == named[0]


@in_loop
async def test_phones_show_the_contact_before_the_menu_and_other_callers_as_before(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        keys = {"press1_dest": "extension", "press1_dest_value": "1"}
        menu = pbx.create("ivr", **ivr("6299", **keys))
        provider = await open_line(pbx, "ivr", menu)
        pbx.create("company_contact", **ADA)
        await pbx.process.config_cache.current()
        phone = await pbx.phone("1000")
        for user in ("00442071838750", "02071838751"):
            provider.user = user
            line = provider.call("441632960000")
            await line.until_answered()
            line.media.send_dtmf("1")
            await phone.until_called(len(phone.invites) + 1)
            line.hang_up()
            await pbx.until_quiet()
        assert [name_shown(invite) for invite in phone.invites] == ["Lady Lovelace", "Menu 6299"]
        assert [record.caller_name for record in pbx.records()] == ["Lady Lovelace", ""]


@in_loop
async def test_a_trunk_is_not_given_the_names_of_contacts(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        far, out = await add_trunk(pbx, "Out")
        route = add_route(pbx, [out])
        keys = {
            "press1_dest": "external_num",
            "press1_dest_value": "0441632960000",
            "press1_dest_prefix": "9",
            "enb_dial_outb_routes": 1,
            "dial_outb_route_list": [{"value": str(route)}],
        }
        provider = await open_line(pbx, "ivr", pbx.create("ivr", **ivr("6299", **keys)))
        pbx.create("company_contact", **ADA)
        await pbx.process.config_cache.current()
        line = provider.call("441632960000")
        await line.until_answered()
        line.media.send_dtmf("1")
        await far.until_called()
        line.hang_up()
        await pbx.until_quiet()
        assert name_shown(far.invites[0]) == "Menu 6299"
