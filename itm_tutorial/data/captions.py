"""Captions as published files hold them: composed Unicode, and Python's b'...' taken off."""

from __future__ import annotations

import ast
import re
import unicodedata

from itm_tutorial.errors import ItmError

PRINTED_BYTES = re.compile(r"""\s*b(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\s*""", re.DOTALL)  # one literal, not several


def repaired(caption: str, where: str) -> str:
    """A caption in Unicode's composed form (NFC), without the b'...' that Python 3 writes around bytes.

    Some published files were written with ``str(caption)`` where the caption was bytes. Such a caption would begin
    with the word "b", so what stands between the quotes is read as Python reads it.

    Args:
        caption: as the file has it.
        where: the file and line, for the message.

    Raises:
        ItmError: the text between the quotes is not bytes of UTF-8.
    """
    caption = caption.strip()
    if PRINTED_BYTES.fullmatch(caption):
        try:
            caption = ast.literal_eval(caption).decode("utf-8").strip()
        except (ValueError, SyntaxError) as error:
            raise ItmError(f"{where}: {caption[:80]!r} is no caption; write the text without b'...'") from error
    return unicodedata.normalize("NFC", caption)
