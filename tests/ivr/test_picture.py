"""The picture of a menu and all it leads to."""

from collections.abc import Callable

from openivr.ivr.analysis.diagram import Arrow, Node, draw, quote, show_node, to_mermaid
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPolicy,
    ExtensionRule,
    Ivr,
    IvrSnapshot,
    RingGroup,
)

Office = Callable[..., IvrSnapshot]
MAIN = (DestinationKind.IVR, 1)


def test_keys_to_the_same_place_share_an_arrow(office: Office) -> None:
    ada = Destination(DestinationKind.EXTENSION, 1)
    picture = draw(office(keys={"0": ada, "*": ada, "1": ada}, timeout=ada), [MAIN])
    assert picture.nodes == (
        Node("ivr-1", DestinationKind.IVR, "6200", "Main"),
        Node("extension-1", DestinationKind.EXTENSION, "1000", "Ada Byron"),
    )
    assert picture.arrows == (Arrow("ivr-1", "extension-1", ("1", "0", "*", "no_key")),)


def test_menus_and_ring_groups_are_followed_once(office: Office) -> None:
    second = Ivr(2, "6201", "Second", keys={"0": Destination(*MAIN)})
    groups = (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.IVR, 2)),)
    picture = draw(
        office(ivrs=(second,), groups=groups, keys={"1": Destination(DestinationKind.RING_GROUP, 1)}), [MAIN]
    )
    assert [node.id for node in picture.nodes] == ["ivr-1", "ring_group-1", "ivr-2"]
    assert [(arrow.source, arrow.labels, arrow.target) for arrow in picture.arrows] == [
        ("ivr-1", ("1",), "ring_group-1"),
        ("ring_group-1", ("no_answer",), "ivr-2"),
        ("ivr-2", ("0",), "ivr-1"),
    ]


def test_dialling_by_number_is_summed_up(office: Office) -> None:
    policy = DialPolicy(
        ExtensionRule.RESTRICT, outbound=True, outbound_route_ids=(1, 2), check_voicemail=True
    )
    picture = draw(office(policy=policy), [MAIN])
    assert [show_node(node) for node in picture.nodes[1:]] == [
        "extensions that are not restricted",
        "outside over routes Local and Any",
        "own mailbox",
    ]
    assert [(arrow.source, arrow.labels) for arrow in picture.arrows] == [
        ("ivr-1", ("by_number",)),
        ("ivr-1", ("by_number",)),
        ("ivr-1", ("*02",)),
    ]
    one = draw(office(policy=DialPolicy(outbound=True, outbound_route_ids=(1,))), [MAIN])
    assert show_node(one.nodes[1]) == "outside over route Local"


def test_every_destination_has_a_node(office: Office) -> None:
    keys = {
        "1": Destination(DestinationKind.EXTENSION, 99),
        "2": Destination(DestinationKind.VOICEMAIL, 1),
        "3": Destination(DestinationKind.EXTERNAL, number="123", prefix="9"),
        "4": Destination(DestinationKind.PLAY_GREETING, prompt="hours.wav"),
        "5": Destination(DestinationKind.END_CALL),
        "6": Destination(DestinationKind.IVR, 9),
    }
    assert draw(office(keys=keys), [MAIN]).nodes[1:] == (
        Node("extension-99", DestinationKind.EXTENSION, "99", is_missing=True),
        Node("ext_vm-1", DestinationKind.VOICEMAIL, "1000", "Ada Byron"),
        Node("external_num-9123", DestinationKind.EXTERNAL, "9123"),
        Node("play_greeting-hours.wav", DestinationKind.PLAY_GREETING, "hours.wav"),
        Node("end_call", DestinationKind.END_CALL),
        Node("ivr-9", DestinationKind.IVR, "9", is_missing=True),
    )


def test_mermaid_dots_what_no_key_leads_to(office: Office) -> None:
    ada, end = Destination(DestinationKind.EXTENSION, 1), Destination(DestinationKind.END_CALL)
    text = to_mermaid(draw(office(keys={"#": ada}, timeout=end, invalid=end, name='The "A" & <B>'), [MAIN]))
    assert text.splitlines() == [
        "flowchart LR",
        '    n0["6200 The &quot;A&quot; &amp; &lt;B>"]',
        '    n1("extension 1000 Ada Byron")',
        '    n2{{"end call"}}',
        '    n0 -->|"&num;"| n1',
        '    n0 -.->|"no key, wrong key"| n2',
    ]


def test_texts_cannot_break_out_of_their_quotes() -> None:
    assert quote('"]; click n0 "x') == "&quot;]; click n0 &quot;x"
