"""Lowering of what leaves a place: labels, goto, break, continue and return.

Each runs the cleanups of the scopes that it leaves. A goto may stand before its label and cannot know them yet, so it
gets a block of its own, which is filled in at the end of the function.
"""

from __future__ import annotations

from typing import NamedTuple

from tree_sitter import Node

from mmlint.flow.declarations import Declarations
from mmlint.flow.dialect import Dialect
from mmlint.flow.ir import Jump, Opaque, Return, Switch, Unreachable
from mmlint.flow.scopes import Cleanup, can_reach
from mmlint.source import Span
from mmlint.syntax.functions import ParsedFunction

INTO_SCOPE = "jump into the scope of a guard or into a statement expression"


class Exit(NamedTuple):
    """Where break or continue goes, and the cleanups that are still due there."""

    block: int
    cleanups: Cleanup | None


class _Goto(NamedTuple):
    block: int
    label: str
    cleanups: Cleanup | None
    span: Span


class Jumps(Declarations):
    """Labels and jumps; loops and switches keep ``breaks`` and ``continues`` up to date."""

    def __init__(self, function: ParsedFunction, dialect: Dialect) -> None:
        super().__init__(function, dialect)
        self.breaks: list[Exit] = []
        self.continues: list[Exit] = []
        self._labels: dict[str, Exit] = {}
        self._gotos: list[_Goto] = []
        self._computed: list[tuple[int, Cleanup | None, Node]] = []
        self.statements |= {
            "labeled_statement": self._labeled,
            "goto_statement": self._goto,
            "break_statement": self._break,
            "continue_statement": self._continue,
            "return_statement": self._return,
        }

    def leave(self, exit_: Exit, span: Span) -> None:
        """Jump to an exit, with what is due on the way."""
        self.run_cleanups(self.scopes.cleanups, exit_.cleanups)
        self.builder.end(Jump(exit_.block, span))

    def _break(self, node: Node) -> None:
        self._leave_innermost(self.breaks, node)

    def _continue(self, node: Node) -> None:
        self._leave_innermost(self.continues, node)

    def _leave_innermost(self, exits: list[Exit], node: Node) -> None:
        if exits:
            self.leave(exits[-1], self.statement_span(node))
        else:
            self.lost(self.statement_span(node), "jump out of no loop")

    def _return(self, node: Node) -> None:
        children = node.named_children
        value = self.value(children[0]) if children else None
        self.run_cleanups(self.scopes.cleanups, None)
        self.builder.end(Return(value, self.statement_span(node)))

    def _labeled(self, node: Node) -> None:
        while True:
            children = node.named_children
            block = self.builder.block()
            self.builder.enter(block)
            self._labels.setdefault(self.words(children[0]), Exit(block, self.scopes.cleanups))
            if len(children) < 2:
                return
            node = children[-1]
            if node.type != "labeled_statement":
                break
        self.statement(node)

    def _goto(self, node: Node) -> None:
        children = node.named_children
        if not children or b"*" in self.masked[node.start_byte : children[0].start_byte]:
            self.unmodelled(node, "computed goto")
            self._computed.append((self.builder.current, self.scopes.cleanups, node))
            self.builder.end(Unreachable(self.statement_span(node)))
            return
        self.goto(self.words(children[0]), self.statement_span(node))

    def goto(self, label: str, span: Span) -> None:
        """Jump to a label of the function, wherever it stands."""
        block = self.builder.block()
        self._gotos.append(_Goto(block, label, self.scopes.cleanups, span))
        self.builder.jump(block)

    def resolve_gotos(self) -> None:
        """Fill in the jumps to labels; called once, at the end of the function."""
        for block, label, cleanups, span in self._gotos:
            self.builder.enter(block)
            target = self._labels.get(label)
            if target is None:
                self.lost(span, f"goto to a label that is not there: {label}")
            elif not can_reach(cleanups, target.cleanups):
                self.lost(span, INTO_SCOPE)
            else:
                self.run_cleanups(cleanups, target.cleanups)
                self.builder.end(Jump(target.block, span))
        for block, cleanups, node in self._computed:
            self.builder.terminate(block, self._any_label(node, cleanups))

    def lost(self, span: Span, reason: str) -> None:
        """Give up on where control goes."""
        self.problems.append((span, reason))
        self.builder.end(Unreachable(span))

    def _any_label(self, node: Node, cleanups: Cleanup | None) -> Switch | Unreachable:
        """A computed goto; the cleanups on its way are not run."""
        span = self.statement_span(node)
        targets = [(label, to.block) for label, to in self._labels.items() if can_reach(cleanups, to.cleanups)]
        if not targets:
            return Unreachable(span)
        addresses = [(Opaque(f"&&{label}"), block) for label, block in targets]
        cases = tuple((address, address, block) for address, block in addresses)
        return Switch(self.unknown(node), cases, addresses[-1][1], span)
