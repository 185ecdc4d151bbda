"""Records the audio of one call, by policy from its answer on, or on command."""

from enum import StrEnum, unique

import structlog

from openivr.b2bua.call_commands import TalkAction
from openivr.b2bua.context import CallContext
from openivr.media.recording.audio_recording import AudioRecording, RecordEnd, RecordingResult
from openivr.media.session import MediaSession

log = structlog.get_logger(__name__)


@unique
class RecordState(StrEnum):
    """States of the recording of a call."""

    NONE = "none"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"  # with its media session, or at the limit of its length


class CallRecorder:
    """The recording of one call. It has one at most, in a file that is named by the call."""

    def __init__(self, context: CallContext, call_id: str) -> None:
        self._context, self._call_id = context, call_id
        self._recording: AudioRecording | None = None
        self.file = ""  # for the record of the call; "" without a recording

    @property
    def state(self) -> RecordState:
        if self._recording is None:
            return RecordState.NONE
        if self._recording.has_ended:
            return RecordState.ENDED
        return RecordState.PAUSED if self._recording.is_paused else RecordState.RUNNING

    def record_by_policy(self, media: MediaSession) -> None:
        """Begin to record at the answer if all calls are recorded."""
        if not self._context.records_calls or self._recording is not None:
            return
        if not self.start(media):
            log.error("call is not recorded: the disk is almost full", call=self._call_id)

    def start(self, media: MediaSession) -> bool:
        """Begin to record both directions of a session. Return False if there is no space."""
        folder = self._context.recording_folder
        if folder is None or not self._context.has_space():
            return False
        folder.mkdir(exist_ok=True, mode=0o700)
        self.file = f"{self._call_id}.wav"
        self._recording = media.record(folder / self.file, self._on_end, both=True)
        return True

    def carry_out(self, action: TalkAction, media: MediaSession) -> bool:
        """Start, pause or go on. Return False if the state of the recording does not allow it."""
        match action, self.state:
            case TalkAction.RECORD_START, RecordState.NONE:
                return self.start(media)
            case TalkAction.RECORD_PAUSE, RecordState.RUNNING if self._recording is not None:
                self._recording.pause()
            case TalkAction.RECORD_UNPAUSE, RecordState.PAUSED if self._recording is not None:
                self._recording.unpause()
            case _:
                return False
        return True

    def _on_end(self, result: RecordingResult) -> None:
        """Report a recording that failed. If there is none of it, the record names none."""
        if result.end is RecordEnd.FAILED:
            log.error("recording of a call cannot be written", call=self._call_id, file=result.path.name)
            if not result.path.exists():
                self.file = ""
