"""A message for a mailbox: the tone, then the caller, then a file that waits for the clerk."""

from collections.abc import Callable
from pathlib import Path

import structlog

from openivr.b2bua.context import CallContext
from openivr.b2bua.party import Party
from openivr.cdr.journal.entries import MessageLeft
from openivr.media.audio.tone import beep
from openivr.media.recording.audio_recording import AudioRecording, RecordEnd, RecordingResult

log = structlog.get_logger(__name__)
SILENCE_SECONDS = 5.0  # after which a message is taken to be over
SHORTEST_SECONDS = 0.5  # of a message that is worth keeping: who hangs up at the tone leaves none


class VoicemailRecorder:
    """Records one caller for one mailbox. `on_end` is called if the recording ends by itself."""

    def __init__(
        self, house: CallContext, party: Party, call: str, extension: int, on_end: Callable[[], None]
    ) -> None:
        self._house, self._party, self._call, self._extension = house, party, call, extension
        self._on_end = on_end
        self._recording: AudioRecording | None = None
        self._is_stopped = False
        self._began = house.now()
        self._path: Path = house.messages / f"vm-{call}-{extension}.wav"

    def start(self, seconds: int) -> None:
        """Sound the tone, then record, so many seconds at most."""
        self._party.media.play((beep(),), lambda: self._record(seconds))

    def _record(self, seconds: int) -> None:
        if not self._is_stopped:
            self._recording = self._party.media.record(
                self._path, self._ended, seconds=seconds, silence_seconds=SILENCE_SECONDS
            )

    def stop(self) -> None:
        """End it and keep what there is, once it is written."""
        self._is_stopped = True
        if self._recording is not None:
            self._recording.stop()

    def _ended(self, recorded: RecordingResult) -> None:
        if recorded.end is RecordEnd.FAILED:
            log.error("a message could not be written", call=self._call, file=recorded.path.name)
        elif recorded.seconds >= SHORTEST_SECONDS:
            self._keep(recorded)
        else:
            recorded.path.unlink(missing_ok=True)
        if recorded.end is not RecordEnd.STOPPED and not self._is_stopped:
            self._on_end()

    def _keep(self, recorded: RecordingResult) -> None:
        entry = MessageLeft(
            at=self._began,
            id=recorded.path.stem,
            extension=self._extension,
            call=self._call,
            caller=self._party.number,
            milliseconds=round(recorded.seconds * 1000),
            file=recorded.path.name,
        )
        self._house.write(entry)
