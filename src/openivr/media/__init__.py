"""Media of calls: RTP and RTCP, DTMF, bridging and recording. Knows neither SIP nor the IVR.

    media = Media(MediaSettings((Interface("192.0.2.1"),), range(10000, 20000)))
    session = media.open("198.51.100.7")     # a media session towards this host; raises NoPorts
    session.address                          # for the local session description; RTCP uses the next port
    session.connect(RemoteMedia(...))        # after every completed offer/answer exchange
    session.on_dtmf = lambda digit, method: ...
    session.on_inactive = lambda: ...        # no packet arrived, see `InactivityLimits`
    session.play((clip, clip), on_end)       # replaces what is playing; the first packet leaves immediately
    session.play((ringback(),), loop=True)
    session.stop()                           # sends silence from now on
    session.send_dtmf("42#")
    recording = session.record(path, on_end, silence_seconds=4); recording.pause(); recording.unpause()
    session.bridge(other); session.unbridge()
    session.mix((one, other)); session.unmix()  # in the place of the audio of the bridged session
    session.substitute(clip)                 # a clip in its place, over and over
    session.statistics()
    session.close()
    await media.close()

All methods are called in the event loop's thread and return immediately. Callbacks run from the loop, never
inside one of these calls. Nothing that was stopped or closed calls back, except a recording, which always
reports its end.
"""
