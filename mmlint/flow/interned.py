"""Small immutable values of which equal ones are one object, so that they are compared and hashed by identity.

    class Name(metaclass=Interned):
        name: str
        scope: int = 0

    Name("pte") is Name("pte", scope=0)

The keys of abstract states are such values, and are looked up more often than anything else is done.
"""

from __future__ import annotations

from typing import Any, dataclass_transform


@dataclass_transform(frozen_default=True)
class Interned(type):
    """Makes the annotated names of a class its fields."""

    _fields: tuple[str, ...]
    _defaults: tuple[Any, ...]
    _known: dict[tuple[Any, ...], Any]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Interned:
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = tuple(namespace.pop(field) for field in fields if field in namespace)
        namespace |= {"__slots__": fields, "__match_args__": fields, "__repr__": _text, "__reduce__": _remade}
        made = super().__new__(cls, name, bases, namespace)
        made._fields, made._defaults, made._known = fields, defaults, {}
        return made

    def __call__(cls, *values: Any, **named: Any) -> Any:
        fields = cls._fields
        if len(values) < len(fields):
            values = cls._completed(values, named)
        elif named or len(values) > len(fields):
            raise TypeError(f"{cls.__name__}() takes {', '.join(fields)}")
        known = cls._known.get(values)
        if known is None:
            known = object.__new__(cls)  # type: ignore[arg-type]
            for field, value in zip(fields, values, strict=True):
                setattr(known, field, value)
            cls._known[values] = known
        return known

    def _completed(cls, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        defaults = dict(zip(reversed(cls._fields), reversed(cls._defaults), strict=False))
        try:
            missing = cls._fields[len(values) :]
            rest = tuple(named.pop(field) if field in named else defaults[field] for field in missing)
        except KeyError as error:
            raise TypeError(f"{cls.__name__}() misses {error}") from None
        if named:
            raise TypeError(f"{cls.__name__}() takes {', '.join(cls._fields)}")
        return values + rest


def _text(value: Any) -> str:
    fields = ", ".join(f"{field}={getattr(value, field)!r}" for field in type(value)._fields)
    return f"{type(value).__name__}({fields})"


def _remade(value: Any) -> tuple[type, tuple[Any, ...]]:
    return type(value), tuple(getattr(value, field) for field in type(value)._fields)
