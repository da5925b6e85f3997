"""Objects and their parts: which local a place lies in, and what a write may change beside the place it names.

    x = s.f;  s = t;  y = s.f;          x and y differ: s was written as a whole
    p = &a->f;  x = a->f;  *p = 1;      a->f has changed
    x = a->in.f;  b->in = t;            so it may have here: a and b may be one
    s = *a;  b->f = 1;  t = *a;         and here: t may differ from s

Every local whose members are used has an epoch, a place in the state with a value that is new after each write of the
whole. What is read from a member has it in its name. A scalar that a pointer from outside of the function points to is
taken to be no member of a struct that the function uses.
"""

from __future__ import annotations

from collections.abc import Iterator

from mmlint.facts.state import EPOCH, Field, field_epoch, place_text
from mmlint.flow import ir
from mmlint.flow.values import Poly, Symbol, Value

# Types that do not hold every address; a value that passes through one may lose its upper half.
NARROW = frozenset(
    (
        "char", "signed char", "unsigned char", "short", "unsigned short", "int", "signed", "signed int", "unsigned",
        "unsigned int", "u8", "u16", "u32", "s8", "s16", "s32", "bool", "_Bool", "uint8_t", "uint16_t", "uint32_t",
        "int8_t", "int16_t", "int32_t", "__u8", "__u16", "__u32", "__s32",
    )
)  # fmt: skip
SCALARS = NARROW | frozenset(
    (
        "long", "unsigned long", "long int", "unsigned long int", "long long", "unsigned long long", "u64", "s64",
        "__u64", "__s64", "uint64_t", "int64_t", "size_t", "ssize_t", "loff_t", "pgoff_t", "uintptr_t", "phys_addr_t",
        "dma_addr_t", "gfp_t", "pteval_t",
    )
)  # fmt: skip


def address_symbol(name: ir.Name) -> Symbol:
    """The symbol of a variable's address."""
    return Symbol(f"&{place_text(name)}")


def object_epoch(name: ir.Name) -> ir.Name:
    """The place whose value tells when a local was last written as a whole."""
    return ir.Name(f"{EPOCH.name}&{place_text(name)}")


class Objects:
    """The objects that one function names. Evaluation tells it of every address and every loaded value."""

    def __init__(self, graph: ir.Graph) -> None:
        self.variables = graph.variables
        self.locals = {address_symbol(name): name for name in graph.variables}
        self.parted: frozenset[ir.Name] = frozenset()
        self.escaped: tuple[ir.Name, ...] = ()
        self.pointed: frozenset[str] = frozenset()
        self.globals: tuple[ir.Name, ...] = ()
        # Members that are read, and "*" where what a pointer points to is read as a struct.
        self.read: frozenset[str] = frozenset()
        self.wholes: set[Field] = set()
        # Arrays that no pointer leads to but their own names.
        self.arrays: frozenset[ir.Name] = frozenset()
        self._parts: dict[Symbol, Field] = {}
        self._loaded: dict[Symbol, Value] = {}
        self._roots: dict[Value, ir.Name | None] = {}
        self._epochs: dict[tuple[Value, bool], tuple[ir.Name, ...]] = {}
        self._sources: dict[ir.Temp, ir.Expr] = {}
        self._scan(graph)

    # ------------------------------------------------------------ what the text of the function shows

    def _scan(self, graph: ir.Graph) -> None:
        parted: set[ir.Name] = set()
        read: set[str] = set()
        handed: set[ir.Name] = set()
        kept: dict[ir.Name | str, None] = {}
        for block in graph.blocks:
            for op in block.ops:
                for expr in _expressions(op):
                    parted.update(_parted(expr))
                if isinstance(op, ir.Load):
                    self._sources[op.target] = op.place
                    read.add(op.place.field if isinstance(op.place, ir.Member) else "*")
                elif isinstance(op, ir.Assign | ir.Store):
                    if isinstance(op, ir.Assign) and isinstance(op.target, ir.Temp):
                        self._sources[op.target] = op.value
                    kept.update(dict.fromkeys(self._addresses(op.value, self._keeps_pointer(op))))
                elif isinstance(op, ir.Call):
                    handed.update(name for argument in op.arguments for name in _names(argument))
        self.parted = frozenset(name for name in parted if self.is_struct(name))
        self.read = frozenset(read)
        arrays = {name for name in graph.variables if self.is_array(name)}
        self.arrays = frozenset(arrays - handed - kept.keys())
        self.escaped = tuple(name for name in graph.variables if name in kept)
        self.pointed = frozenset(name for name in kept if isinstance(name, str))
        self.globals = tuple(name for name in kept if isinstance(name, ir.Name) and name not in graph.variables)

    def _keeps_pointer(self, op: ir.Assign | ir.Store) -> bool:
        """Whether the value may be that of an array: not where a number or a pointer to a struct is kept."""
        if isinstance(op, ir.Store):
            return True
        variable = self.variables.get(op.target) if isinstance(op.target, ir.Name) else None
        return variable is not None and variable.pointers > 0 and not variable.type.startswith("struct ")

    def _addresses(self, expr: ir.Expr, arrays: bool) -> Iterator[ir.Name | str]:
        """Variables whose address is in a value that is kept, and members (their names) whose address is."""
        match expr:
            case ir.AddressOf(place):
                yield from self._owners(place)
            case ir.Name() if self.is_array(expr):
                yield expr
            case ir.Temp() if arrays:
                source = self._sources.get(expr)
                if isinstance(source, ir.Member) and not source.arrow:
                    yield from (name for name in self._owners(source) if isinstance(name, ir.Name))
            case ir.Unary(_, inner) | ir.Cast(_, inner):
                yield from self._addresses(inner, arrays)
            case ir.Binary(_, left, right):
                yield from self._addresses(left, arrays)
                yield from self._addresses(right, arrays)
            case _:
                pass

    def _owners(self, place: ir.Expr) -> Iterator[ir.Name | str]:
        match place:
            case ir.Name():
                yield place
            case ir.Member(base, member, arrow):
                yield member
                if not arrow:
                    yield from self._owners(base)
            case ir.Index(ir.Name() as name, _) if self.is_array(name):
                yield name
            case ir.Index(ir.Temp() as temp, _):
                source = self._sources.get(temp)
                if isinstance(source, ir.Member) and not source.arrow:
                    yield from self._owners(source.base)
            case _:
                pass

    def is_array(self, name: ir.Name) -> bool:
        """Whether the name is a local array's, so that its value is its address."""
        variable = self.variables.get(name)
        return variable is not None and variable.array and variable.parameter < 0

    def is_struct(self, name: ir.Name) -> bool:
        """Whether a local may be a struct."""
        variable = self.variables.get(name)
        return variable is not None and not variable.pointers and variable.type not in SCALARS

    # ------------------------------------------------------------ values

    def part(self, symbol: Symbol, place: Field) -> None:
        """``symbol`` is the address of a member."""
        self._parts[symbol] = place

    def parts_of(self, base: Symbol) -> list[tuple[Symbol, Field]]:
        """The members of the object at ``base`` whose address is known: address and place."""
        return [(symbol, place) for symbol, place in self._parts.items() if place.base == Poly.symbol(base)]

    def place_of(self, address: Symbol) -> Field | None:
        """The member that an address is that of, None for other addresses."""
        return self._parts.get(address)

    def loaded(self, symbol: Symbol, base: Value) -> None:
        """``symbol`` was read from the object at ``base``, or is the address of an array there."""
        self._loaded[symbol] = base

    def canonical(self, spot: Field) -> Field:
        """The member itself for what a pointer to it points to, and the element of a local array."""
        if not isinstance(spot.base, Poly):
            return spot
        symbol = spot.base.as_symbol()
        if spot.field in ("*", "[0]") and symbol in self._parts:
            return self._parts[symbol]
        array = self._array(spot.base)
        index = "0" if spot.field == "*" else spot.field[1:-1]
        if array is None or not index.isdecimal():
            return spot
        start = Poly.symbol(array)
        offset = (spot.base - start).as_const()
        return Field(start, f"[{offset + int(index)}]") if offset is not None and offset + int(index) >= 0 else spot

    def _array(self, base: Poly) -> Symbol | None:
        """The address of the local array that an address is some elements behind, or None."""
        found = [symbol for symbol in base.symbols() if symbol in self.locals and self.is_array(self.locals[symbol])]
        return found[0] if len(found) == 1 else None

    def owner(self, value: Value) -> ir.Name | None:
        """The local that an address lies in, and in no other object."""
        symbol = value.as_symbol() if isinstance(value, Poly) else None
        while symbol in self._parts:
            base = self._parts[symbol].base
            symbol = base.as_symbol() if isinstance(base, Poly) else None
        return self.locals.get(symbol) if symbol is not None else None

    def sources(self, value: Value) -> set[Symbol]:
        """The symbols of a value, of the objects that its addresses lie in, and of those that it was read from."""
        found: set[Symbol] = set()
        pending = [value]
        while pending:
            last = pending.pop()
            for symbol in (*last.symbols(),) if isinstance(last, Poly) else (last.table,):
                if symbol not in found:
                    found.add(symbol)
                    pending += [self._parts[symbol].base] if symbol in self._parts else []
                    pending += [self._loaded[symbol]] if symbol in self._loaded else []
        return found

    def root(self, value: Value) -> ir.Name | None:
        """The local that an address lies in, or that it was read from."""
        # What a symbol was read from is known before any value holds the symbol.
        if value not in self._roots:
            self._roots[value] = self._root(value)
        return self._roots[value]

    def _root(self, value: Value) -> ir.Name | None:
        pending = [value]
        while pending:
            last = pending.pop()
            for symbol in last.symbols() if isinstance(last, Poly) else (last.table,):
                if symbol in self.locals:
                    return self.locals[symbol]
                if symbol in self._parts:
                    pending.append(self._parts[symbol].base)
                elif symbol in self._loaded:
                    pending.append(self._loaded[symbol])
        return None

    def members(self, value: Value) -> tuple[str, ...]:
        """The inner structs that an address lies in."""
        symbol = value.as_symbol() if isinstance(value, Poly) else None
        part = self._parts.get(symbol) if symbol is not None else None
        return () if part is None else (part.field, *self.members(part.base))

    def epochs(self, base: Value, stable: bool) -> tuple[ir.Name, ...]:
        """Places that tell when what lies at ``base`` was written as a part of something larger.

        What a contract calls ``stable`` changes only with a local that it lies in.
        """
        found = self._epochs.get((base, stable))
        if found is None:
            inner = self.members(base)
            root = self.root(base)
            own = root is not None and not (stable and self._is_read(base))
            found = tuple(field_epoch(member) for member in inner) if not stable else ()
            if root is not None and own:
                found = (object_epoch(root), *found)
            self._epochs[base, stable] = found
        return found

    def _is_read(self, base: Value) -> bool:
        symbol = base.as_symbol() if isinstance(base, Poly) else None
        if symbol in self._parts:
            return self._is_read(self._parts[symbol].base)
        return symbol not in self.locals

    # ------------------------------------------------------------ writes

    def apart(self, place: Field, spot: Field) -> bool:
        """Whether ``place`` is an element that a write to ``spot`` leaves as it is: another one of the same array."""
        if place.base == spot.base:
            indices = (place.field.strip("[]"), spot.field.strip("[]"))
            return indices[0] != indices[1] and all(index.isdecimal() for index in indices)
        symbol = place.base.as_symbol() if isinstance(place.base, Poly) else None
        name = self.locals.get(symbol) if symbol is not None else None
        return name in self.arrays and self.root(spot.base) != name

    def kinds(self, field: str) -> tuple[str, ...]:
        """Members that a write to ``field`` may change: those of its name in any object, and what pointers lead to."""
        kind = "*" if field == "*" or field.startswith("[") else field
        if kind == "*":
            return ("*", *sorted(self.pointed))
        return (kind, "*") if kind in self.pointed else (kind,)

    def is_private(self, place: Field) -> bool:
        """True when no pointer of the function but its own name leads there."""
        root = self.root(place.base)
        return root is not None and root not in self.escaped

    def writes_whole(self, op: ir.Store) -> bool:
        """Whether a store may write a struct whose members are unknown, or one that pointers point to."""
        place = op.place
        if isinstance(place, ir.Member):
            return place.field in self.pointed and self._may_be_struct(op.value)
        pointer = place.pointer if isinstance(place, ir.Deref) else place.base if isinstance(place, ir.Index) else place
        return self._points_to_struct(pointer) and self._may_be_struct(op.value)

    def is_whole(self, place: ir.Expr) -> bool:
        """Whether what lies there through a pointer may be a struct; of a member, its name alone does not tell."""
        pointer = place.pointer if isinstance(place, ir.Deref) else place.base if isinstance(place, ir.Index) else None
        return pointer is None or self._points_to_struct(pointer)

    def around(self, value: Value) -> Iterator[str]:
        """Structs that are written in part where something at ``value`` is: members by their names, and "*"."""
        yield "*"
        symbol = value.as_symbol() if isinstance(value, Poly) else None
        while symbol is not None:
            part = self._parts.get(symbol)
            if part is not None:
                yield part.field
            base = part.base if part is not None else self._loaded.get(symbol)
            symbol = base.as_symbol() if isinstance(base, Poly) else None

    def _points_to_struct(self, pointer: ir.Expr) -> bool:
        match pointer:
            case ir.Name():
                variable = self.variables.get(pointer)
                return variable is None or (variable.pointers < 2 and variable.type not in SCALARS)
            case ir.Cast(type_, _):
                return type_.count("*") < 2 and type_.replace("*", "").strip() not in SCALARS
            case ir.Binary(_, left, right):
                return self._points_to_struct(left if isinstance(right, ir.Const) else right)
            case ir.AddressOf(ir.Name() as name):
                return name not in self.variables or self.is_struct(name)
            case ir.Temp() if isinstance(source := self._sources.get(pointer), ir.Name | ir.Cast):
                return self._points_to_struct(source)
            case _:
                return True

    def _may_be_struct(self, value: ir.Expr) -> bool:
        match value:
            case ir.Const() | ir.Binary() | ir.Unary() | ir.AddressOf() | ir.Cast():
                return False
            case ir.Name():
                return value not in self.variables or self.is_struct(value)
            case ir.Temp() if isinstance(source := self._sources.get(value), ir.Name):
                return self._may_be_struct(source)
            case _:
                return True


def _expressions(op: ir.Op) -> tuple[ir.Expr, ...]:
    match op:
        case ir.Assign(_, value, _):
            return (value,)
        case ir.Load(_, place, _):
            return (place,)
        case ir.Store(place, value, _):
            return (place, value)
        case ir.Call():
            return op.arguments
        case _:
            return ()


def _parted(expr: ir.Expr) -> Iterator[ir.Name]:
    """Variables of which a member is used, or whose address is taken."""
    match expr:
        case ir.AddressOf(ir.Name() as name) | ir.Member(ir.Name() as name, _, False):
            yield name
        case ir.AddressOf(inner) | ir.Deref(inner) | ir.Member(inner, _, _) | ir.Unary(_, inner) | ir.Cast(_, inner):
            yield from _parted(inner)
        case ir.Index(left, right) | ir.Binary(_, left, right):
            yield from _parted(left)
            yield from _parted(right)
        case _:
            pass


def _names(expr: ir.Expr) -> Iterator[ir.Name]:
    """Variables that a value names, or has the address of."""
    match expr:
        case ir.Name():
            yield expr
        case ir.AddressOf(inner) | ir.Deref(inner) | ir.Member(inner, _, _) | ir.Unary(_, inner) | ir.Cast(_, inner):
            yield from _names(inner)
        case ir.Index(left, right) | ir.Binary(_, left, right):
            yield from _names(left)
            yield from _names(right)
        case _:
            pass
