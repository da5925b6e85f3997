"""A text that is only ever overwritten: no byte moves, no newline is lost.

    Rewriting(b"f(struct foo *, 1)").identifier(2, 14)    ->    f(Struct_foo__, 1)

Everything that changes a text goes through here, so that the promise is kept in one place.
"""

from __future__ import annotations

from mmlint.syntax.mask import BLANKS

_IDENTIFIER = bytes(
    byte if chr(byte).isascii() and (chr(byte).isalnum() or byte == 0x0A) else 0x5F for byte in range(256)
)


class Rewriting:
    """``text`` is the text as it was, ``buffer`` what it is being turned into. Offsets are the same in both."""

    __slots__ = ("buffer", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.buffer = bytearray(text)

    def blank(self, start: int, end: int) -> None:
        """Hide text[start:end]."""
        self.buffer[start:end] = self.text[start:end].translate(BLANKS)

    def put(self, start: int, end: int, replacement: bytes) -> None:
        """Write over text[start:end], padded with blanks; nothing is written where that would cost a newline."""
        if len(replacement) <= end - start and not self.starts_new_line(start, end):
            self.buffer[start:end] = replacement.ljust(end - start)

    def identifier(self, start: int, end: int) -> None:
        """Turn text[start:end] into one identifier; what stands behind the first line of it becomes blank."""
        first_line, newline, _ = self.text[start:end].partition(b"\n")
        word = bytearray(first_line.rstrip() if newline else first_line).translate(_IDENTIFIER)
        self.blank(start, end)
        if word[:1].islower():
            word[0] -= 0x20
        elif word[:1].isdigit():
            word[0] = 0x5F
        self.buffer[start : start + len(word)] = word

    def insert(self, start: int, end: int, char: bytes) -> bool:
        """Write one character over the first blank of text[start:end]; False when there is no blank."""
        for offset in range(start, end):
            if self.buffer[offset] in b" \t":
                self.buffer[offset] = char[0]
                return True
        return False

    def starts_new_line(self, start: int, end: int) -> bool:
        """True when there is a newline in text[start:end]."""
        return self.text.find(b"\n", start, end) >= 0

    def column(self, offset: int) -> int:
        """Bytes before the offset on its line."""
        return offset - self.text.rfind(b"\n", 0, offset) - 1
