"""Typed objects: rows as lists show them, and whole objects as get and query answer them.

Generated from the descriptions in openivr.resources by `make docs`; do not edit. Names are the API's. Every
field but the id may be missing.
"""
# ruff: noqa: RUF012 - msgspec copies an empty default for each object

from collections.abc import Mapping
from typing import Any, ClassVar

from openivr.client.model_types import (
    Destination,
    Detail,
    Device,
    KeyNames,
    Link,
    Row,
    WithDestination,
    WithKeys,
)


class CustomPromptRow(Row, frozen=True, kw_only=True):
    """A custom prompt in a list."""

    name: str = ""
    type: str = ""
    format: str = ""
    size: int = 0
    duration: int = 0
    loudness: int = 0
    keep_level: int = 0


class CustomPrompt(Detail, frozen=True, kw_only=True):
    """A custom prompt."""

    name: str = ""
    type: str = ""
    format: str = ""
    size: int = 0
    duration: int = 0
    loudness: int = 0
    keep_level: int = 0


class ExtensionRow(Row, frozen=True, kw_only=True):
    """An extension in a list."""

    online_status: dict[str, Device] = {}
    presence_status: str = ""
    number: str = ""
    caller_id_name: str = ""
    role_name: str = ""
    email_addr: str = ""
    mobile_number: str = ""


class Extension(Detail, frozen=True, kw_only=True):
    """An extension. Never answered: reg_password, user_password, vm_pin, hours_pin."""

    secret_names: ClassVar[tuple[str, ...]] = (
        "reg_password",
        "user_password",
        "vm_pin",
        "weak_pin",
        "hours_pin",
    )
    type: str = "SIP"
    number: str = ""
    first_name: str = ""
    last_name: str = ""
    email_addr: str = ""
    mobile_number: str = ""
    title: str = ""
    role_id: int = 0
    caller_id: str = ""
    presence_status: str = "available"
    concurrent_registrations: int = 1
    ring_timeout: int = 30
    enb_vm: int = 1
    reg_name: str = ""
    new_vm_notify: str = "no"
    after_vm_notify: str = "no"
    enb_switch_hours: int = 0
    presence_list: tuple[Mapping[str, Any], ...] = ()


class ExtensionGroupRow(Row, frozen=True, kw_only=True):
    """An extension group in a list."""

    name: str = ""


class ExtensionGroup(Detail, frozen=True, kw_only=True):
    """An extension group."""

    name: str = ""
    member_list: tuple[Link, ...] = ()


class RingGroupRow(Row, frozen=True, kw_only=True):
    """A ring group in a list."""

    number: str = ""
    name: str = ""
    ring_strategy: str = ""
    ring_timeout: int = 0


class RingGroup(WithDestination, frozen=True, kw_only=True):
    """A ring group."""

    number: str = ""
    name: str = ""
    ring_strategy: str = "ring_all"
    ring_timeout: int = 0
    join_prompt: str = ""
    play_full_join_prompt: int = 0
    member_list: tuple[Link, ...] = ()
    fail_dest: Destination = Destination()


class TrunkRow(Row, frozen=True, kw_only=True):
    """A trunk in a list."""

    name: str = ""
    type: str = ""
    enable: int = 0
    transport: str = ""
    hostname: str = ""
    port: int = 0


class Trunk(Detail, frozen=True, kw_only=True):
    """A trunk. Never answered: password."""

    secret_names: ClassVar[tuple[str, ...]] = ("password",)
    name: str = ""
    type: str = ""
    enable: int = 1
    transport: str = "udp"
    hostname: str = ""
    port: int = 5060
    domain: str = ""
    username: str = ""
    auth_name: str = ""
    def_outbound_cid: str = ""
    max_calls: int = 0
    get_caller_id_from: str = "pai"
    follow_redirects: int = 0
    country_code: str = ""
    national_prefix: str = "0"
    outbound_number_format: str = "unchanged"


class CalendarRow(Row, frozen=True, kw_only=True):
    """A calendar in a list."""

    name: str = ""
    timezone: str = ""
    is_default: int = 0


class Calendar(Detail, frozen=True, kw_only=True):
    """A calendar."""

    name: str = ""
    timezone: str = ""
    is_default: int = 0


class BusinessHourRow(Row, frozen=True, kw_only=True):
    """A business hour in a list."""

    timezone_id: int = 0
    time_condition_switch: int = 0
    days_of_week: str = ""
    months: str = ""
    days: str = ""
    office_times: tuple[Mapping[str, Any], ...] = ()
    reset_times: tuple[Mapping[str, Any], ...] = ()
    remark: str = ""


class BusinessHour(Detail, frozen=True, kw_only=True):
    """A business hour."""

    timezone_id: int = 0
    time_condition_switch: int = 0
    days_of_week: str = ""
    months: str = ""
    days: str = ""
    office_times: tuple[Mapping[str, Any], ...] = ()
    reset_times: tuple[Mapping[str, Any], ...] = ()
    remark: str = ""


class HolidayRow(Row, frozen=True, kw_only=True):
    """A holiday in a list."""

    timezone_id: int = 0
    name: str = ""
    type: str = ""
    month: str = ""
    how_week: int = 0
    weekday: str = ""
    date: str = ""
    time_period: str = ""
    prompt: str = ""


class Holiday(Detail, frozen=True, kw_only=True):
    """A holiday."""

    timezone_id: int = 0
    name: str = ""
    type: str = ""
    month: str = ""
    how_week: int = 0
    weekday: str = ""
    date: str = ""
    time_period: str = ""
    prompt: str = ""


class OutboundRouteRow(Row, frozen=True, kw_only=True):
    """An outbound route in a list."""

    pos: int = 0
    name: str = ""
    dial_pattern_list: tuple[Mapping[str, Any], ...] = ()
    max_calls: int = 0
    max_calls_per_hour: int = 0
    max_calls_per_caller: int = 0


class OutboundRoute(Detail, frozen=True, kw_only=True):
    """An outbound route."""

    name: str = ""
    pos: int = 0
    dial_pattern_list: tuple[Mapping[str, Any], ...] = ()
    trunk_list: tuple[Link, ...] = ()
    ext_list: tuple[Link, ...] = ()
    max_calls: int = 0
    max_calls_per_hour: int = 0
    max_calls_per_caller: int = 0


class InboundRouteRow(Row, frozen=True, kw_only=True):
    """An inbound route in a list."""

    pos: int = 0
    name: str = ""
    did_option: str = ""
    did_pattern_list: tuple[Mapping[str, Any], ...] = ()
    def_dest: str = ""
    def_dest_prefix: str = ""
    def_dest_value: str = ""


class InboundRoute(WithDestination, frozen=True, kw_only=True):
    """An inbound route."""

    name: str = ""
    pos: int = 0
    alert_info: str = ""
    did_option: str = "patterns"
    did_pattern_list: tuple[Mapping[str, Any], ...] = ()
    cid_option: str = "patterns"
    cid_pattern_list: tuple[Mapping[str, Any], ...] = ()
    trunk_list: tuple[Link, ...] = ()
    def_dest: Destination = Destination()
    enb_time_condition: int = 0
    time_condition: str = "global"
    timezone_id: int = 0
    office_time_dest: Destination = Destination()
    outoffice_time_dest: Destination = Destination()
    holiday_dest: Destination = Destination()


class BlockedNumberRuleRow(Row, frozen=True, kw_only=True):
    """A blocked number rule in a list."""

    name: str = ""
    limit_type: str = ""
    number_list: str = ""


class BlockedNumberRule(WithDestination, frozen=True, kw_only=True):
    """A blocked number rule."""

    name: str = ""
    limit_type: str = ""
    number_list: str = ""
    def_dest: Destination = Destination()


class AllowedNumberRuleRow(Row, frozen=True, kw_only=True):
    """An allowed number rule in a list."""

    name: str = ""
    limit_type: str = ""
    number_list: str = ""


class AllowedNumberRule(Detail, frozen=True, kw_only=True):
    """An allowed number rule."""

    name: str = ""
    limit_type: str = ""
    number_list: str = ""


class PinListRow(Row, frozen=True, kw_only=True):
    """A PIN list in a list."""

    name: str = ""
    pin_list: str = ""
    enb_record_cdr: int = 0


class PinList(Detail, frozen=True, kw_only=True):
    """A PIN list. Never answered: add_pins, remove_pins."""

    secret_names: ClassVar[tuple[str, ...]] = ("add_pins", "remove_pins")
    name: str = ""
    pin_list: str = ""
    enb_record_cdr: int = 0


class IvrRow(Row, frozen=True, kw_only=True):
    """An IVR in a list."""

    number: str = ""
    name: str = ""
    dial_ext_option: str = ""
    enb_dial_outb_routes: int = 0
    client_unique_ringtone: str = ""


class Ivr(WithKeys, frozen=True, kw_only=True):
    """An IVR."""

    key_names: ClassVar[Mapping[str, KeyNames]] = {
        "0": KeyNames(("press0_dest",), ("allow_out_record0",), "press0_pin_list_id"),
        "1": KeyNames(("press1_dest",), ("allow_out_record1",), "press1_pin_list_id"),
        "2": KeyNames(("press2_dest",), ("allow_out_record2",), "press2_pin_list_id"),
        "3": KeyNames(("press3_dest",), ("allow_out_record3",), "press3_pin_list_id"),
        "4": KeyNames(("press4_dest",), ("allow_out_record4",), "press4_pin_list_id"),
        "5": KeyNames(("press5_dest",), ("allow_out_record5",), "press5_pin_list_id"),
        "6": KeyNames(("press6_dest",), ("allow_out_record6",), "press6_pin_list_id"),
        "7": KeyNames(("press7_dest",), ("allow_out_record7",), "press7_pin_list_id"),
        "8": KeyNames(("press8_dest",), ("allow_out_record8",), "press8_pin_list_id"),
        "9": KeyNames(("press9_dest",), ("allow_out_record9",), "press9_pin_list_id"),
        "hash": KeyNames(("press_hash_dest",), ("allow_out_record_hash",), "press_hash_pin_list_id"),
        "star": KeyNames(("press_star_dest",), ("allow_out_record_star",), "press_star_pin_list_id"),
        "timeout": KeyNames(("timeout_dest",), ("allow_out_record_timeout",)),
        "invalid": KeyNames(
            ("invaild_dest", "invalid_dest"), ("allow_out_record_invaild", "allow_out_record_invalid")
        ),
    }
    number: str = ""
    name: str = ""
    prompt: str = ""
    prompt_repeat: int = 3
    resp_timeout: int = 5
    digit_timeout: int = 3
    dial_ext_option: str = "disable"
    enb_dial_outb_routes: int = 0
    enb_dial_check_vm: int = 0
    keys: dict[str, Destination] = {}
    dial_ext_list: tuple[Link, ...] = ()
    restrict_dial_ext_list: tuple[Link, ...] = ()
    enb_dial_call_number: int = 0
    dial_call_number_list: tuple[Link, ...] = ()
    dial_outb_route_list: tuple[Link, ...] = ()
    alert_info: str = ""
    client_unique_ringtone: str = ""
    max_invalid: int = 0
    enb_time_condition: int = 0
    time_condition_scope: str = "all_keys"
    timezone_id: int = 0


class AnnouncementRow(Row, frozen=True, kw_only=True):
    """An announcement in a list."""

    name: str = ""
    prompt: str = ""
    begin_time: str = ""
    end_time: str = ""
    timezone_id: int = 0


class Announcement(Detail, frozen=True, kw_only=True):
    """An announcement."""

    name: str = ""
    prompt: str = ""
    before_list: tuple[Link, ...] = ()
    begin_time: str = ""
    end_time: str = ""
    timezone_id: int = 0


class PhonebookRow(Row, frozen=True, kw_only=True):
    """A phonebook in a list."""

    name: str = ""
    member_select: str = ""


class Phonebook(Detail, frozen=True, kw_only=True):
    """A phonebook."""

    name: str = ""
    member_select: str = "sel_specific"


class ContactRow(Row, frozen=True, kw_only=True):
    """A contact in a list."""

    contact_name: str = ""
    company: str = ""
    email: str = ""
    phonebook_list: tuple[Mapping[str, Any], ...] = ()
    remark: str = ""
    business: str = ""
    business2: str = ""
    mobile: str = ""
    mobile2: str = ""
    home: str = ""
    home2: str = ""
    business_fax: str = ""
    home_fax: str = ""
    other: str = ""


class Contact(Detail, frozen=True, kw_only=True):
    """A contact."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phonebook_id_list: tuple[int, ...] = ()
    remark: str = ""
    number_list: tuple[Mapping[str, Any], ...] = ()
    zip_code: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
