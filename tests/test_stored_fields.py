"""Every stored field has an effect on calls, or docs/api.md says that it is only kept (M11).

The fields come from the descriptions of the resources. A new one needs a line here or in the table.
"""

import ast
import re
from functools import cache
from pathlib import Path

from openivr.resources import KINDS
from openivr.resources.destination import OPT_OUT, Keys
from openivr.web.menus.form import IN_FORM
from openivr.web.resources.views import RESOURCE_VIEWS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/openivr"

# "type.field" -> the module that acts on it, and what it reads there
EFFECTS = {
    "custom_prompt.name": "ivr/call_state.py prompts",
    "custom_prompt.format": "api/prompts.py form",
    "custom_prompt.duration": "simulate/simulation.py seconds",
    "custom_prompt.loudness": "ivr/analysis/check.py loudness",
    "custom_prompt.keep_level": "api/prompts.py keep_level",
    "extension.number": "ivr/model.py number",
    "extension.first_name": "ivr/states/directory.py first_name",
    "extension.last_name": "ivr/states/directory.py last_name",
    "extension.mobile_number": "b2bua/dialer.py mobile",
    "extension.presence_list": "ivr/states/forwarding.py outside",
    "extension.caller_id": "b2bua/call.py caller_id",
    "extension.presence_status": "ivr/states/dialling.py do_not_disturb",
    "extension.concurrent_registrations": "sip/registrar/registrar.py contacts",
    "extension.ring_timeout": "ivr/states/dialling.py ring_seconds",
    "extension.enb_vm": "ivr/states/voicemail.py voicemail",
    "extension.reg_name": "server/sip_accounts.py user",
    "extension.reg_password": "sip/auth/server.py secret",
    "extension.vm_pin": "ivr/analysis/check.py has_pin",
    "extension.weak_pin": "ivr/analysis/check.py weak_pin",
    "extension.new_vm_notify": "mail/courier.py has_audio",
    "extension.after_vm_notify": "mail/text.py after",
    "extension.enb_switch_hours": "ivr/hours_code.py may_switch_hours",
    "extension.hours_pin": "ivr/states/hours.py has_hours_pin",
    "ext_group.member_list": "ivr/policy.py member_ids",
    "ring_group.number": "ivr/model.py number",
    "ring_group.name": "ivr/analysis/diagram.py name",
    "ring_group.ring_strategy": "b2bua/dialer.py strategy",
    "ring_group.ring_timeout": "ivr/states/dialling.py ring_seconds",
    "ring_group.join_prompt": "ivr/states/dialling.py join_prompt",
    "ring_group.play_full_join_prompt": "ivr/states/dialling.py play_full_join_prompt",
    "ring_group.member_list": "ivr/states/dialling.py member_ids",
    "ring_group.fail_dest": "ivr/states/dialling.py fail",
    "trunk.name": "b2bua/call_manager.py name",
    "trunk.type": "sip/trunk/trunk_state.py kind",
    "trunk.enable": "ivr/policy.py enabled",
    "trunk.transport": "server/sip_accounts.py transport",
    "trunk.hostname": "sip/trunk/trunk_manager.py host",
    "trunk.port": "sip/trunk/trunk_manager.py port",
    "trunk.domain": "sip/trunk/trunk_manager.py domain",
    "trunk.username": "b2bua/call_manager.py username",
    "trunk.auth_name": "server/sip_accounts.py auth_name",
    "trunk.password": "server/sip_accounts.py password",
    "trunk.def_outbound_cid": "b2bua/redirection.py caller_id",
    "trunk.max_calls": "b2bua/limits.py max_calls",
    "trunk.get_caller_id_from": "b2bua/call_manager.py get_caller_id_from",
    "trunk.country_code": "ivr/number_format.py country_code",
    "trunk.national_prefix": "ivr/number_format.py national_prefix",
    "trunk.outbound_number_format": "ivr/number_format.py OutboundFormat",
    "trunk.follow_redirects": "b2bua/redirection.py follow_redirects",
    "outbound_route.name": "simulate/transcript.py name",
    "outbound_route.pos": "ivr/policy.py position",
    "outbound_route.dial_pattern_list": "ivr/policy.py patterns",
    "outbound_route.trunk_list": "ivr/policy.py trunk_ids",
    "outbound_route.ext_list": "b2bua/dialplan.py outside",
    "outbound_route.max_calls": "b2bua/limits.py simultaneous",
    "outbound_route.max_calls_per_hour": "b2bua/limits.py per_hour",
    "outbound_route.max_calls_per_caller": "b2bua/limits.py per_caller_hour",
    "inbound_route.name": "ivr/inbound_route.py name",
    "inbound_route.pos": "ivr/inbound_route.py position",
    "inbound_route.alert_info": "b2bua/dialplan.py alert_info",
    "inbound_route.did_pattern_list": "ivr/inbound_route.py did_patterns",
    "inbound_route.cid_pattern_list": "ivr/inbound_route.py caller_patterns",
    "inbound_route.trunk_list": "ivr/inbound_route.py trunk_ids",
    "inbound_route.def_dest": "ivr/inbound_route.py destination",
    "inbound_route.enb_time_condition": "ivr/inbound_route.py by_period",
    "inbound_route.timezone_id": "ivr/periods.py calendar",
    "inbound_route.office_time_dest": "ivr/periods.py open",
    "inbound_route.outoffice_time_dest": "ivr/periods.py closed",
    "inbound_route.holiday_dest": "ivr/periods.py holiday",
    "timezone.name": "cli/hours.py name",
    "timezone.timezone": "hours/calendar.py zone",
    "timezone.is_default": "ivr/periods.py calendars",
    "businesshour.timezone_id": "hours/period.py hours",
    "businesshour.time_condition_switch": "hours/calendar.py weekdays",
    "businesshour.days_of_week": "hours/calendar.py weekdays",
    "businesshour.months": "hours/calendar.py months",
    "businesshour.days": "hours/calendar.py days",
    "businesshour.office_times": "hours/calendar.py office",
    "businesshour.reset_times": "hours/calendar.py breaks",
    "holiday.timezone_id": "hours/calendar.py holidays",
    "holiday.name": "hours/period.py name",
    "holiday.type": "hours/calendar.py type",
    "holiday.month": "hours/calendar.py month",
    "holiday.how_week": "hours/calendar.py nth",
    "holiday.weekday": "hours/calendar.py weekday",
    "holiday.date": "hours/calendar.py first",
    "holiday.time_period": "hours/calendar.py span",
    "holiday.prompt": "ivr/periods.py prompt",
    "announcement.name": "simulate/transcript.py name",
    "announcement.prompt": "ivr/periods.py prompt",
    "announcement.before_list": "ivr/periods.py ivr_ids",
    "announcement.begin_time": "ivr/model.py begin",
    "announcement.end_time": "ivr/model.py end",
    "announcement.timezone_id": "ivr/periods.py holds",
    "company_contact.first_name": "b2bua/call_manager.py contact_name",
    "company_contact.last_name": "b2bua/call_manager.py contact_name",
    "company_contact.number_list": "ivr/contact_names.py numbers",
    "webhook.enable": "store/events/webhook_queue.py enable",
    "webhook.url": "server/webhooks/sender.py url",
    "webhook.secret": "server/webhooks/sender.py secret",
    "webhook.request_method": "server/webhooks/sender.py request_method",
    "webhook.event_ids": "store/events/webhook_queue.py event_ids",
    "webhook.timeout": "server/webhooks/sender.py timeout",
    "webhook.retry_count": "server/webhooks/runner.py retry_count",
    "block_numbers.name": "ivr/inbound_route.py name",
    "block_numbers.limit_type": "ivr/number_rule.py outbound",
    "block_numbers.number_list": "ivr/number_rule.py numbers",
    "block_numbers.def_dest": "ivr/inbound_route.py destination",
    "allow_numbers.name": "ivr/inbound_route.py name",
    "allow_numbers.limit_type": "ivr/number_rule.py inbound",
    "allow_numbers.number_list": "ivr/number_rule.py numbers",
    "pin_list.name": "simulate/world.py pins",
    "pin_list.pin_list": "ivr/states/pin.py longest",
    "ivr.number": "ivr/model.py number",
    "ivr.name": "b2bua/call.py name",
    "ivr.prompt": "ivr/states/menu.py prompts",
    "ivr.prompt_repeat": "ivr/states/menu.py prompt_repeat",
    "ivr.resp_timeout": "ivr/states/menu.py resp_timeout",
    "ivr.digit_timeout": "ivr/states/menu.py digit_timeout",
    "ivr.max_invalid": "ivr/states/menu.py max_invalid",
    "ivr.dial_ext_option": "ivr/policy.py extensions",
    "ivr.dial_ext_list": "ivr/policy.py extension_ids",
    "ivr.restrict_dial_ext_list": "ivr/policy.py extension_ids",
    "ivr.enb_dial_outb_routes": "ivr/policy.py outbound",
    "ivr.dial_outb_route_list": "ivr/policy.py outbound_route_ids",
    "ivr.enb_dial_check_vm": "ivr/policy.py check_voicemail",
    "ivr.enb_dial_call_number": "ivr/policy.py call_numbers",
    "ivr.dial_call_number_list": "ivr/policy.py ring_group_ids",
    "ivr.keys": "ivr/policy.py keys",
    "ivr.enb_time_condition": "ivr/periods.py by_period",
    "ivr.timezone_id": "ivr/periods.py calendar",
    "ivr.time_condition_scope": "ivr/periods.py by_period",
    "ivr.alert_info": "ivr/states/dialling.py alert_info",
    "ivr.import_remarks": "ivr/analysis/check.py import_remarks",
}
# Fields that only people read: where a page shows them
SHOWN = {
    "webhook.name": "web/templates/settings/undelivered.html name",
    "custom_prompt.size": "web/templates/prompts/one.html row.size",
    "ext_group.name": "web/menus/choices.py display_name",
}
INFORMATION = "information"  # on the web: a fact about a person, shown as that


def stored_fields() -> set[str]:
    fields = {f"{kind.name}.{field.name}" for kind in KINDS.values() for field in kind.fields}
    composites = [kind.name for kind in KINDS.values() for field in kind.fields if isinstance(field, Keys)]
    return fields | {f"{name}.{OPT_OUT}" for name in composites}


def kept_fields() -> dict[str, str]:
    """The table of docs/api.md: each field, and how the web has it."""
    page = (ROOT / "docs/api.md").read_text()
    part = page[page.index("## Fields that are only kept") :]
    rows = re.findall(r"^\| `([a-z_.]+)\*?` \|[^|]*\| ([a-z]+) \|$", part, re.MULTILINE)
    return dict(rows)


def test_every_field_has_an_effect_or_is_declared_as_kept() -> None:
    parts = [EFFECTS.keys(), SHOWN.keys(), kept_fields().keys()]
    assert stored_fields() == set().union(*parts)
    assert sum(map(len, parts)) == len(stored_fields())


@cache
def reads(path: Path) -> frozenset[str]:
    """The names and attributes whose values a module reads. What it only sets, or says, is not among them."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    loaded = [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)]
    return frozenset((*names, *(node.attr for node in loaded)))


def test_each_effect_is_where_it_is_said_to_be() -> None:
    for field, place in EFFECTS.items():
        path, name = place.split()
        is_general = path.split("/")[0] in ("resources", "store", "web")  # reads whatever there is
        assert not is_general or path == "store/events/webhook_queue.py", field
        assert name in reads(SOURCE / path), field
    for field, place in SHOWN.items():
        path, name = place.split()
        assert name in (SOURCE / path).read_text(), field


def test_the_web_offers_no_field_without_an_effect() -> None:
    offered = {f"{view.kind.name}.{field.name}" for view in RESOURCE_VIEWS.values() for field in view.fields}
    offered |= {f"ivr.{name}" for name in IN_FORM}
    information = {name for name, shown in kept_fields().items() if shown == INFORMATION}
    assert offered & kept_fields().keys() == information
