"""Records a voicemail message: a beep, then the caller's voice into a file that the CDR worker stores."""

from collections.abc import Callable
from pathlib import Path

import structlog

from openivr.b2bua.context import CallContext
from openivr.b2bua.party import Party
from openivr.cdr.journal.entries import MessageLeft
from openivr.cdr.journal.message_file import MessageFile
from openivr.media.audio.tone import beep
from openivr.media.recording.audio_recording import AudioRecording, RecordEnd, RecordingResult

log = structlog.get_logger(__name__)
SILENCE_SECONDS = 5.0  # end a message
MIN_SECONDS = 0.5  # of a message that is kept; a caller who hangs up at the beep leaves none


class VoicemailRecorder:
    """Records one caller for one mailbox. `on_end` is called if the recording ends by itself."""

    def __init__(
        self, context: CallContext, party: Party, call: str, extension: int, on_end: Callable[[], None]
    ) -> None:
        self._context, self._party = context, party
        self._file = MessageFile(call, extension)
        self._on_end = on_end
        self._recording: AudioRecording | None = None
        self._is_stopped = False
        self._began = context.now()
        self._path: Path = context.message_folder / self._file.name()
        self._is_mailbox_full = False

    def start(self, seconds: int) -> None:
        """Play the beep, then record for at most so many seconds. A full mailbox or disk takes no message."""
        self._context.spawn(self._check_mailbox())
        self._party.media.play((beep(),), lambda: self._on_beep_end(seconds))

    def _on_beep_end(self, seconds: int) -> None:
        if self._is_stopped:
            return
        refusal = self._refusal()
        if refusal:
            log.error(
                "voicemail message refused",
                call=self._file.call,
                extension=self._file.extension,
                reason=refusal,
            )
            self._on_end()
        else:
            self._recording = self._party.media.record(
                self._path, self._on_recording_end, seconds=seconds, silence_seconds=SILENCE_SECONDS
            )

    async def _check_mailbox(self) -> None:
        self._is_mailbox_full = await self._context.is_mailbox_full(self._file.extension)

    def _refusal(self) -> str:
        """Return why no message is taken, "" if one is."""
        if self._is_mailbox_full:
            return "the mailbox is full"
        return "" if self._context.has_space() else "the disk is almost full"

    def stop(self) -> None:
        """Stop recording. What was recorded is kept once it is written."""
        self._is_stopped = True
        if self._recording is not None:
            self._recording.stop()

    def _on_recording_end(self, result: RecordingResult) -> None:
        if result.end is RecordEnd.FAILED:
            log.error("voicemail message cannot be written", call=self._file.call, file=result.path.name)
        elif result.seconds >= MIN_SECONDS:
            self._keep(result)
        else:
            result.path.unlink(missing_ok=True)
        if result.end is not RecordEnd.STOPPED and not self._is_stopped:
            self._on_end()

    def _keep(self, result: RecordingResult) -> None:
        entry = MessageLeft(
            at=self._began,
            id=self._file.id,
            extension=self._file.extension,
            call=self._file.call,
            caller=self._party.number,
            milliseconds=round(result.seconds * 1000),
            file=self._file.name(),
        )
        self._context.write_entry(entry)
