"""The first schema."""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KINDS = (
    "custom_prompt",
    "extension",
    "ext_group",
    "ring_group",
    "trunk",
    "outbound_route",
    "inbound_route",
    "ivr",
)
ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    create_objects()
    create_admin()
    create_scenarios()
    create_calls()
    op.bulk_insert(
        sa.table("revision", *columns("id", "config", "auth")), [{"id": 1, "config": 0, "auth": 0}]
    )
    op.bulk_insert(sa.table("counter", *columns("kind", "last")), [{"kind": k, "last": 0} for k in KINDS])
    serial = {"name": "serial_number", "value": secrets.token_hex(8).upper()}
    op.bulk_insert(sa.table("setting", *columns("name", "value")), [serial])


def create_objects() -> None:
    op.create_table(
        "allowed_address",
        sa.Column("network", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("network", name=op.f("pk_allowed_address")),
    )
    op.create_table(
        "api_client",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_client")),
        sa.UniqueConstraint("name", name=op.f("uq_api_client_name")),
    )
    op.create_table(
        "blocked_address",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("address", "door", name=op.f("pk_blocked_address")),
    )
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_change_revision"), "change", ["revision"], unique=False)
    op.create_table(
        "counter",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_counter")),
    )
    op.create_table(
        "custom_prompt",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("duration", sa.Integer(), nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_prompt")),
    )
    op.create_index("ix_custom_prompt_name", "custom_prompt", ["name"], unique=False)
    op.create_index("ix_custom_prompt_name_order", "custom_prompt", ["name_order", "id"], unique=False)
    op.create_table(
        "ext_group",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("member_list", sa.JSON(), nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ext_group")),
    )
    op.create_index("ix_ext_group_name", "ext_group", ["name"], unique=False)
    op.create_index("ix_ext_group_name_order", "ext_group", ["name_order", "id"], unique=False)
    op.create_table(
        "extension",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("email_addr", sa.Text(), nullable=False),
        sa.Column("mobile_number", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("presence_status", sa.Text(), nullable=False),
        sa.Column("concurrent_registrations", sa.Integer(), nullable=False),
        sa.Column("ring_timeout", sa.Integer(), nullable=False),
        sa.Column("enb_vm", sa.Integer(), nullable=False),
        sa.Column("reg_name", sa.Text(), nullable=False),
        sa.Column("reg_password", sa.Text(), nullable=False),
        sa.Column("user_password", sa.Text(), nullable=False),
        sa.Column("vm_pin", sa.Text(), nullable=False),
        sa.Column("online", sa.Integer(), server_default="0", nullable=False),
        sa.Column("number_order", ORDERED, nullable=False),
        sa.Column("caller_id_name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
    )
    op.create_index(
        "ix_extension_caller_id_name_order", "extension", ["caller_id_name_order", "id"], unique=False
    )
    op.create_index("ix_extension_email_addr", "extension", ["email_addr"], unique=False)
    op.create_index("ix_extension_number_order", "extension", ["number_order", "id"], unique=False)
    op.create_index("ix_extension_reg_name", "extension", ["reg_name"], unique=False)
    op.create_table(
        "inbound_route",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("alert_info", sa.Text(), nullable=False),
        sa.Column("did_option", sa.Text(), nullable=False),
        sa.Column("did_pattern_list", sa.JSON(), nullable=False),
        sa.Column("cid_option", sa.Text(), nullable=False),
        sa.Column("cid_pattern_list", sa.JSON(), nullable=False),
        sa.Column("trunk_list", sa.JSON(), nullable=False),
        sa.Column("def_dest", sa.JSON(), nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_route")),
    )
    op.create_index("ix_inbound_route_name", "inbound_route", ["name"], unique=False)
    op.create_index("ix_inbound_route_name_order", "inbound_route", ["name_order", "id"], unique=False)
    op.create_table(
        "ivr",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("prompt_repeat", sa.Integer(), nullable=False),
        sa.Column("resp_timeout", sa.Integer(), nullable=False),
        sa.Column("digit_timeout", sa.Integer(), nullable=False),
        sa.Column("dial_ext_option", sa.Text(), nullable=False),
        sa.Column("enb_dial_outb_routes", sa.Integer(), nullable=False),
        sa.Column("enb_dial_check_vm", sa.Integer(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("dial_ext_list", sa.JSON(), nullable=False),
        sa.Column("restrict_dial_ext_list", sa.JSON(), nullable=False),
        sa.Column("enb_dial_call_number", sa.Integer(), nullable=False),
        sa.Column("dial_call_number_list", sa.JSON(), nullable=False),
        sa.Column("dial_outb_route_list", sa.JSON(), nullable=False),
        sa.Column("alert_info", sa.Text(), nullable=False),
        sa.Column("client_unique_ringtone", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("number_order", ORDERED, nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ivr")),
    )
    op.create_index("ix_ivr_name_order", "ivr", ["name_order", "id"], unique=False)
    op.create_index("ix_ivr_number_order", "ivr", ["number_order", "id"], unique=False)
    op.create_table(
        "login_failure",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("time", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index(op.f("ix_login_failure_address"), "login_failure", ["address"], unique=False)
    op.create_table(
        "number",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_number")),
        sa.UniqueConstraint("kind", "object_id", name=op.f("uq_number_kind")),
    )
    op.create_table(
        "outbound_route",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("dial_pattern_list", sa.JSON(), nullable=False),
        sa.Column("trunk_list", sa.JSON(), nullable=False),
        sa.Column("ext_list", sa.JSON(), nullable=False),
        sa.Column("max_calls", sa.Integer(), nullable=False),
        sa.Column("max_calls_per_hour", sa.Integer(), nullable=False),
        sa.Column("max_calls_per_caller", sa.Integer(), nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound_route")),
    )
    op.create_index("ix_outbound_route_name", "outbound_route", ["name"], unique=False)
    op.create_index("ix_outbound_route_name_order", "outbound_route", ["name_order", "id"], unique=False)
    op.create_table(
        "reference",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("target_kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference")),
    )
    op.create_index("ix_reference_owner", "reference", ["owner_kind", "owner_id"], unique=False)
    op.create_index("ix_reference_target", "reference", ["target_kind", "target_id"], unique=False)
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("config", sa.Integer(), nullable=False),
        sa.Column("auth", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_table(
        "ring_group",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ring_strategy", sa.Text(), nullable=False),
        sa.Column("ring_timeout", sa.Integer(), nullable=False),
        sa.Column("join_prompt", sa.Text(), nullable=False),
        sa.Column("play_full_join_prompt", sa.Integer(), nullable=False),
        sa.Column("member_list", sa.JSON(), nullable=False),
        sa.Column("fail_dest", sa.JSON(), nullable=False),
        sa.Column("number_order", ORDERED, nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ring_group")),
    )
    op.create_index("ix_ring_group_name_order", "ring_group", ["name_order", "id"], unique=False)
    op.create_index("ix_ring_group_number_order", "ring_group", ["number_order", "id"], unique=False)
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "trunk",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("enable", sa.Integer(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("auth_name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("def_outbound_cid", sa.Text(), nullable=False),
        sa.Column("max_calls", sa.Integer(), nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trunk")),
    )
    op.create_index("ix_trunk_name", "trunk", ["name"], unique=False)
    op.create_index("ix_trunk_name_order", "trunk", ["name_order", "id"], unique=False)
    op.create_table(
        "prompt_audio",
        sa.Column("prompt_id", sa.Integer(), nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.Column("telephone", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt_id"], ["custom_prompt.id"], name=op.f("fk_prompt_audio_prompt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("prompt_id", name=op.f("pk_prompt_audio")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("access_hash", sa.Text(), nullable=False),
        sa.Column("access_expires", sa.Integer(), nullable=False),
        sa.Column("refresh_hash", sa.Text(), nullable=False),
        sa.Column("refresh_expires", sa.Integer(), nullable=False),
        sa.Column("refreshed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["api_client.id"], name=op.f("fk_token_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("access_hash", name=op.f("uq_token_access_hash")),
        sa.UniqueConstraint("refresh_hash", name=op.f("uq_token_refresh_hash")),
    )
    op.create_index(op.f("ix_token_access_expires"), "token", ["access_expires"], unique=False)
    op.create_index(op.f("ix_token_client_id"), "token", ["client_id"], unique=False)
    op.create_index(op.f("ix_token_family"), "token", ["family"], unique=False)
    op.create_index(op.f("ix_token_refresh_expires"), "token", ["refresh_expires"], unique=False)


def create_admin() -> None:
    op.create_table(
        "admin",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_admin")),
    )
    op.create_table(
        "admin_session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("admin", sa.Text(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["admin"], ["admin.name"], name=op.f("fk_admin_session_admin"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_session")),
    )
    op.create_index(op.f("ix_admin_session_admin"), "admin_session", ["admin"], unique=False)


def create_scenarios() -> None:
    op.create_table(
        "scenario",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("ivr_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["ivr_id"], ["ivr.id"], name=op.f("fk_scenario_ivr_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario")),
        sa.UniqueConstraint("ivr_id", "name", name=op.f("uq_scenario_ivr_id")),
    )


def create_calls() -> None:
    op.create_table(
        "call_record",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("caller", ORDERED, nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("called", ORDERED, nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("menu", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("legs", sa.JSON(), nullable=False),
        sa.Column("input", sa.JSON(), nullable=False),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("recording", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_record")),
    )
    for name, indexed in (
        ("called", ["called", "started", "id", "ended"]),
        ("caller", ["caller", "started", "id", "ended"]),
        ("ended", ["ended"]),
        ("outcome", ["outcome", "started", "id", "ended"]),
        ("reason", ["reason", "started", "id", "ended"]),
        ("source", ["source_kind", "source_id", "started", "id", "ended", "outcome", "reason"]),
        ("started", ["started", "id", "ended", "outcome", "caller", "called"]),
    ):
        op.create_index(f"ix_call_record_{name}", "call_record", indexed, unique=False)
    op.create_table(
        "call_menu",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("menu", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call_record.id"], name=op.f("fk_call_menu_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "menu", name=op.f("pk_call_menu")),
    )
    op.create_index("ix_call_menu_menu", "call_menu", ["menu", "started", "call_id"], unique=False)
    op.create_table(
        "call_note",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("ivr", sa.Integer(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("trunk", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call_record.id"], name=op.f("fk_call_note_call_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "place", name=op.f("pk_call_note")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_call_note_ivr", "call_note", ["ivr", "topic"], unique=False)
    op.create_index("ix_call_note_topic", "call_note", ["topic", "at", "ivr"], unique=False)
    op.create_table(
        "call_count",
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("outcome", name=op.f("pk_call_count")),
    )
    op.create_table(
        "registration",
        sa.Column("extension_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("extension_id", "contact", name=op.f("pk_registration")),
    )
    op.create_table(
        "trunk_state",
        sa.Column("trunk_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trunk_id", "node", name=op.f("pk_trunk_state")),
    )
    op.create_table(
        "voicemail",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("extension_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("heard", sa.Integer(), nullable=False),
        sa.Column("audio", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voicemail")),
    )
    op.create_index("ix_voicemail_call_id", "voicemail", ["call_id"], unique=False)
    op.create_index("ix_voicemail_extension_id", "voicemail", ["extension_id"], unique=False)
    op.create_table(
        "node",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alive", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node")),
    )
    op.create_table(
        "journal",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "file", name=op.f("pk_journal")),
    )


def columns(*names: str) -> list[sa.ColumnClause[Any]]:
    return [sa.column(name) for name in names]
