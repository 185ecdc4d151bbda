"""Sound of calls: RTP in and out, keys, relaying, recording. Knows nothing of SIP or menus.

    media = Media(MediaSettings((Interface("192.0.2.1"),), range(10000, 20000)))
    leg = media.open("198.51.100.7")         # towards this address; raises NoPorts
    leg.address                              # for our session description; RTCP is at the port above
    leg.connect(Remote(...))                 # and again after every further offer and answer
    leg.on_key = lambda key, kind: ...       # kind: how it was heard
    leg.on_dead = lambda: ...                # nothing came for a while though it should have
    leg.play((clip, clip), on_end)           # replaces what is playing; the first packet leaves at once
    leg.play((ringback(),), loop=True)
    leg.stop()                               # silence is sent from now on
    leg.send_keys("42#")
    recording = leg.record(path, on_end, silence_seconds=4)
    leg.bridge(other); leg.unbridge()
    leg.statistics()
    leg.close()
    await media.close()

Everything is called in the loop's thread and returns at once. What is called back comes from the loop, never
from within a call of these; nothing is called back for what was stopped or closed, but
the end of a recording.
"""
