"""The template engine, held: strict, escaping, bounded, and every value it writes goes through a slot."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import traceback
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jinja2
import jinja2.compiler
import jinja2.environment
import jinja2.nodes
import jinja2.runtime
import jinja2.sandbox
import jinja2.visitor
import markupsafe

from newsletter.domain import errors, messages
from newsletter.rendering import slots as slot_room

#: A template that writes more than this loops.
_MAX_CHARACTERS = 4_000_000
#: Pieces of what a template writes that are counted at once.
_AT_ONCE = 16
#: Rounds of all ranges in one render.
_MAX_ROUNDS = 100_000
#: The name under which a render's slots travel in its context.
SLOTS = "_slots"
#: What stands in MJML as it is.
_PLAIN = (markupsafe.Markup, int, float, jinja2.Undefined)
_Kind = TypeVar("_Kind")


class Words(types.SimpleNamespace):
    """Names and values for templates."""


#: Records, of which nothing can be changed and nothing called: the sandbox need not look any closer.
#: What a template imports is one too: it shows its macros, and values that the sandbox let it have. A loop
#: shows where it is.
_RECORDS: set[type] = {Words, jinja2.environment.TemplateModule, jinja2.runtime.LoopContext}


class Function:
    """A function of text that templates may call: safe, pure, and worked out once for the same text."""

    def __init__(self, function: Callable[..., str]) -> None:
        """Keep some ten issues' worth of what a function returns."""
        self.call = functools.lru_cache(maxsize=512)(function)


def record(kind: type[_Kind]) -> type[_Kind]:
    """Mark a frozen record as one that templates may read."""
    _RECORDS.add(kind)
    return kind


class _Generator(jinja2.compiler.CodeGenerator):
    """Writes values as `finalize` returns them, which is strings with nothing left to escape."""

    def _output_child_pre(self, node: jinja2.nodes.Expr, frame: jinja2.compiler.Frame, finalize: Any) -> None:
        settled = frame.eval_ctx.autoescape == self.environment.autoescape
        if frame.eval_ctx.volatile or not settled:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write(f"({finalize.src}")


class _Settling(jinja2.visitor.NodeTransformer):
    """Puts values that never change into a template, where it does nothing but write them."""

    def __init__(self, settled: Mapping[str, Any]) -> None:
        self._settled = settled

    def visit_Output(self, node: jinja2.nodes.Output) -> jinja2.nodes.Output:  # noqa: N802  (named by Jinja)
        self.generic_visit(node)
        node.nodes = list(map(self._written, node.nodes))
        return node

    def _written(self, node: jinja2.nodes.Expr) -> jinja2.nodes.Expr:
        value = self._value(node)
        if not isinstance(value, str | int):
            return node
        return jinja2.nodes.TemplateData(str(value), lineno=node.lineno)

    def _value(self, node: jinja2.nodes.Node) -> Any:
        if isinstance(node, jinja2.nodes.Name):
            return self._settled.get(node.name)
        if not isinstance(node, jinja2.nodes.Getattr):
            return None
        inside = self._value(node.node)
        known = vars(inside) if isinstance(inside, Words) else inside
        return known.get(node.attr) if isinstance(known, Mapping) else None


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """A sandbox in which text cannot be multiplied without end."""

    code_generator_class = _Generator
    intercepted_binops = frozenset({"*", "**"})
    #: Values that never change, by their names, and theirs by theirs.
    settled: Mapping[str, Any] = types.MappingProxyType({})

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        template = super()._parse(source, name, filename)
        _Settling(self.settled).visit(template)
        return template

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) not in _RECORDS or attribute.startswith("_"):
            return super().getattr(obj, attribute)
        try:
            return getattr(obj, attribute)
        except AttributeError:
            return self.undefined(obj=obj, name=attribute)

    def call(self, context: jinja2.runtime.Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        kind = type(obj)
        if kind is not Function and kind is not jinja2.runtime.Macro:
            return super().call(context, obj, *args, **kwargs)
        # Neither sees anything of the place that calls it: a macro sees what its own template sees.
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        if kind is Function:
            return obj.call(*args, **kwargs)
        if kwargs or len(args) != len(obj.arguments) or obj.caller or obj.catch_kwargs or obj.catch_varargs:
            return obj(context.eval_ctx, *args, **kwargs)
        # It has what it asks for, in its order.
        return obj._invoke(args, context.eval_ctx.autoescape)

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float) or operator == "**":
            raise jinja2.TemplateRuntimeError(f"“{operator}” is not for templates")
        return super().call_binop(context, operator, left, right)


def environment(
    folders: tuple[Path, ...], *, escaping: bool, settled: Mapping[str, Any] = types.MappingProxyType({})
) -> jinja2.Environment:
    """Build the environment for the templates of some folders.

    Args:
        folders: searched in order.
        escaping: whether what is written is MJML or HTML.
        settled: values that are the same in each render, by names that no template binds; safe as they are.
    """
    built = _Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=escaping,
        undefined=jinja2.StrictUndefined,
        finalize=_to_slot if escaping else _to_text,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
        # As many as there are files.
        cache_size=-1,
    )
    built.globals = {}
    built.settled = settled
    return built


def run(environment: jinja2.Environment, name: str, context: Mapping[str, Any]) -> str:
    """Pour a context into a template.

    Raises:
        RenderError: the template is missing or wrong; the message says file and line.
    """
    written: list[str] = []
    size = 0
    try:
        chunks = environment.get_template(name).generate({**context, "range": _Rounds().range})
        while some := list(itertools.islice(chunks, _AT_ONCE)):
            written += some
            size += sum(map(len, some))
            if size > _MAX_CHARACTERS:
                raise errors.RenderError(f"{name}: writes more than {_MAX_CHARACTERS:,} characters")
    except jinja2.TemplateNotFound as error:
        raise errors.RenderError(
            f"the template {error.name} is in none of the theme's folders",
            hint="newsletter init --eject-templates copies the packaged ones to templates/",
        ) from error
    except jinja2.TemplateSyntaxError as error:
        raise errors.RenderError(f"{error.filename or error.name}:{error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise errors.RenderError(f"{_looping(error, name)}: includes or calls itself without end") from None
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise errors.RenderError(f"{place(error, name)}: {error}") from error
    return "".join(written)


@functools.lru_cache(maxsize=16)
def trusted(tokens: Any) -> Words:
    """Return a record of design tokens for templates: they are settings, and stand in MJML as they are."""
    words: Words = _trusted(tokens)
    return words


def _trusted(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        names += [name for name, found in vars(type(value)).items() if isinstance(found, property)]
        return Words(**{name: _trusted(getattr(value, name)) for name in names})
    # Tokens are refused when they are made, unless they can stand between double quotes.
    return markupsafe.Markup(value) if isinstance(value, str) else value  # noqa: S704


def _looping(error: BaseException, name: str) -> str:
    """Return ``file:line`` of the template line that a loop came by most often, best of one that includes."""
    frames = _inside(error)
    lines = list(map(_named, [frame for frame in frames if "include" in (frame.line or "")] or frames))
    return max(lines, key=lines.count) if lines else name


def place(error: BaseException, name: str) -> str:
    """Return ``file:line`` of the innermost template line that an error passed through, or the name."""
    inside = _inside(error)
    return _named(inside[-1]) if inside else name


def running(frame: types.FrameType | None, name: str) -> str:
    """Return ``file:line`` of the innermost template line that is being run in a frame, or the name."""
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return f"{template.filename}:{template.get_corresponding_lineno(frame.f_lineno)}"
        frame = frame.f_back
    return name


def _inside(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the template lines that an error passed through, the innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if frame.filename.endswith((".j2", ".md"))]


def _named(frame: traceback.FrameSummary) -> str:
    return f"{frame.filename}:{frame.lineno}"


@jinja2.pass_context
def _to_slot(context: jinja2.runtime.Context, value: Any) -> str:
    """Write a value as a slot, so that the MJML renderer never sees it."""
    if type(value) is not str and isinstance(value, _PLAIN):
        return str(value)
    slots = context.parent.get(SLOTS)
    if not isinstance(slots, slot_room.Slots):
        raise jinja2.TemplateRuntimeError("import macros “with context”")
    if type(value) is str:
        return slots.text(value)
    if isinstance(value, slot_room.Html):
        return slots.html(value)
    if isinstance(value, messages.Field):
        return slots.field(value)
    return slots.text(str(value))


@jinja2.pass_context
def _to_text(context: jinja2.runtime.Context, value: Any) -> str:
    """Write a value as plain text; personal fields stay open."""
    if type(value) is str:
        return value
    if isinstance(value, messages.Field):
        slots: slot_room.Slots = context[SLOTS]
        return slots.field(value)
    return str(value)


class _Rounds:
    """Counts the rounds of all ranges in one render."""

    def __init__(self) -> None:
        self._left = _MAX_ROUNDS

    def range(self, *bounds: int) -> range:
        """Return a range, as long as loops have not gone round too often."""
        rounds = range(*bounds)
        self._left -= len(rounds)
        if self._left < 0:
            raise jinja2.TemplateRuntimeError(f"loops go round more than {_MAX_ROUNDS:,} times")
        return rounds
