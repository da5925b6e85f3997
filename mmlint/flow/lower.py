"""From a parsed C function to its control flow graph.

    lower(function, DEFAULT_DIALECT)    ->    Graph

Evaluation order, short circuit, macros that are loops and the ends of scopes are made explicit. `mmlint.flow.ir` is
the language; each kind of construct has a module, from `expressions` to `statements`, whose classes build on each
other. Macros are not expanded and types are not known. Where the text could not be followed, the graph says so in
``unmodelled``.
"""

from __future__ import annotations

from tree_sitter import Node

from mmlint.flow.context import WORD, Expansions
from mmlint.flow.declarations import read_declarator
from mmlint.flow.dialect import DEFAULT_DIALECT, Dialect
from mmlint.flow.ir import Graph, Name, Return
from mmlint.flow.statements import Statements
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction

__all__ = ["DEFAULT_DIALECT", "Dialect", "lower", "lowered_spans"]


def lower(function: ParsedFunction, dialect: Dialect, expansions: Expansions = lambda _: None) -> Graph:
    """The graph of a function. Never raises for what is in the source: see `Graph.unmodelled`.

    ``expansions`` tells what a name stands for that is a macro over variables of the function.
    """
    lowering = _FunctionLowering(function, dialect)
    lowering.expansions = expansions
    return lowering.graph()


def lowered_spans(function: ParsedFunction, dialect: Dialect) -> frozenset[Span]:
    """The source that becomes an op or a terminator, in dead code too, which a graph does not show."""
    lowering = _FunctionLowering(function, dialect)
    lowering.graph()
    return frozenset(lowering.builder.spans())


class _FunctionLowering(Statements):
    def graph(self) -> Graph:
        """Lower the whole function."""
        function = self.function
        definition = _definition(function.tree.root_node)
        names: tuple[Name, ...] = ()
        return_type, return_pointers = "int", 0
        self.scopes.open(function.body.end)
        if definition is None:
            self.problems.append((function.span, "no function definition"))
        else:
            declarator = definition.child_by_field_name("declarator")
            shape = read_declarator(declarator)
            if declarator is not None:
                return_type = self.type_words(definition.start_byte, declarator.start_byte) or "int"
            return_pointers = shape.returned
            names = self.parameters(shape.parameters)
            self._run_body(definition)
        self.scopes.close()
        self.resolve_gotos()
        return Graph(
            function.name,
            function.span,
            function.body,
            self.builder.finish(),
            self.scopes.variables,
            names,
            return_type,
            return_pointers,
            self._unmodelled(),
        )

    def _run_body(self, definition: Node) -> None:
        body = definition.child_by_field_name("body")
        if body is not None:
            self.statement(body)
        end = self.function.body.end
        self.builder.end(Return(None, Span(max(end - 1, 0), end), implicit=True))

    def _unmodelled(self) -> tuple[tuple[Span, str], ...]:
        found = list(self.problems)
        found += [(span, "syntax that is not understood") for span in self.function.blanked]
        for offset, note in self.function.notes:
            word = WORD.match(self.masked, offset - self.base)
            end = self.base + word.end() if word else offset + 1
            found.append((Span(offset, end), note))
        found = sorted(dict.fromkeys(found))
        return tuple(entry for entry in found if not any(_says_more(other, entry) for other in found))


def _says_more(other: tuple[Span, str], entry: tuple[Span, str]) -> bool:
    """True when another report gives the same reason for more of the source."""
    return other[1] == entry[1] and other[0] != entry[0] and other[0].covers(entry[0])


def _definition(root: Node) -> Node | None:
    return next((node for node in root.named_children if node.type == "function_definition"), None)
