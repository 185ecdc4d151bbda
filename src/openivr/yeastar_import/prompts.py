"""Prompts and their recordings."""

from collections.abc import Callable, Mapping
from typing import Any

from openivr.client.models import CustomPrompt
from openivr.resources import CUSTOM_PROMPT
from openivr.resources.fields import InvalidValue
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.problem_words import predicate
from openivr.sounds.convert import NotAudio, convert
from openivr.yeastar_import.remarks import Remark, adapted, lost
from openivr.yeastar_import.source import Source

Fields = dict[str, Any]
Stored = Callable[[str], bytes | None]
NAME = CUSTOM_PROMPT.fields[0]


def adapt_prompts(
    source: Source, here: Mapping[str, Fields], stored: Stored
) -> tuple[dict[str, Fields], list[Remark]]:
    """Entries by name. A prompt whose sound cannot be had stays as it is here, or is left out."""
    entries: dict[str, Fields] = {}
    remarks: list[Remark] = []
    for detail in source.objects.get("custom_prompt", {}).values():
        if not isinstance(detail, CustomPrompt):
            continue
        name, about = detail.name, f"custom prompt {detail.name}"
        try:
            NAME.parse(name)
            entries[name] = adapt_prompt(detail, source.sounds.get(name), here.get(name), stored)
        except InvalidValue as error:
            remarks.append(lost(about, f"did not come over: {error}"))
        except NotAudio as error:
            why = predicate(ProblemCode(error.fault), error.params)
            remarks.append(lost(about, f"did not come over: {why}"))
        except KeyError:
            text = "its sound cannot be read over the API: upload it here under this name, then pull again"
            remarks.append(lost(about, text))
        else:
            if name not in source.sounds:
                remarks.append(adapted(about, "its sound cannot be read over the API: the one here stays"))
    return entries, remarks


def adapt_prompt(detail: CustomPrompt, sound: bytes | None, here: Fields | None, stored: Stored) -> Fields:
    """Return an entry. Raises KeyError without a recording, NotAudio for other files."""
    if here is not None and (sound is None or stored(detail.name) == sound):
        return {name: value for name, value in here.items() if name != "id"}
    if sound is None:
        raise KeyError(detail.name)
    form = detail.name.rpartition(".")[2].lower()
    keep_level = here["keep_level"] if here is not None and "keep_level" in here else detail.keep_level
    converted = convert(sound, form, keeps_level=bool(keep_level))
    return {
        "name": detail.name,
        "format": form,
        "size": len(sound),
        "duration": converted.seconds,
        "loudness": converted.loudness,
        "keep_level": keep_level,
        "audio": sound,
    }
