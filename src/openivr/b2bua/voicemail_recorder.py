"""Records a voicemail message: a beep, then the caller's voice into a file that the CDR worker stores."""

from collections.abc import Callable
from pathlib import Path

import structlog

from openivr.b2bua.context import CallContext
from openivr.b2bua.party import Party
from openivr.cdr.journal.entries import MessageLeft
from openivr.cdr.journal.message_file import MessageFile, is_message
from openivr.ivr.events import RecordResult
from openivr.media.audio.tone import beep
from openivr.media.recording.audio_recording import AudioRecording, RecordEnd, RecordingResult

log = structlog.get_logger(__name__)
SILENCE_SECONDS = 5.0  # end a message


class VoicemailRecorder:
    """Records one caller for one mailbox. `on_end` gets what became of the message, once."""

    def __init__(
        self,
        context: CallContext,
        party: Party,
        call: str,
        extension: int,
        on_end: Callable[[RecordResult], None],
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
        if refusal is not None:
            log.error(
                "voicemail message refused",
                call=self._file.call,
                extension=self._file.extension,
                reason=refusal.value,
            )
            self._on_end(refusal)
        else:
            self._recording = self._party.media.record(
                self._path, self._on_recording_end, seconds=seconds, silence_seconds=SILENCE_SECONDS
            )

    async def _check_mailbox(self) -> None:
        self._is_mailbox_full = await self._context.is_mailbox_full(self._file.extension)

    def _refusal(self) -> RecordResult | None:
        """Return why no message is taken, None if one is."""
        if self._is_mailbox_full:
            return RecordResult.MAILBOX_FULL
        return None if self._context.has_space() else RecordResult.DISK_FULL

    def stop(self) -> None:
        """Stop recording. What was recorded is kept once it is written."""
        if self._is_stopped:
            return
        self._is_stopped = True
        if self._recording is not None:
            self._recording.stop()
        else:
            self._context.loop.call_soon(self._on_end, RecordResult.EMPTY)

    def _on_recording_end(self, result: RecordingResult) -> None:
        self._on_end(self._settle(result))

    def _settle(self, result: RecordingResult) -> RecordResult:
        """Keep a message in which something is said, delete any other."""
        if result.end is not RecordEnd.FAILED and is_message(result.seconds, result.sound):
            self._keep(result)
            return RecordResult.KEPT
        self._unlink(result.path)
        if result.end is not RecordEnd.FAILED:
            return RecordResult.EMPTY
        log.error("voicemail message cannot be written", call=self._file.call, file=result.path.name)
        return RecordResult.FAILED if self._context.has_space() else RecordResult.DISK_FULL

    def _unlink(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.error("voicemail message cannot be deleted", file=path.name, error=error.strerror)

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
